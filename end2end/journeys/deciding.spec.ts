// Approve for less, deny with a reason, and giving back.
import { expect, test } from "@playwright/test";
import { ASTRID, ELIN, JOHAN, approve, as, ask, choose, openDecision } from "../people";

test("less time is what is granted", async ({ browser }) => {
  const reason = "Compare ledger rows for less time";
  const [johan, astrid, elin] = [await as(browser, JOHAN), await as(browser, ASTRID), await as(browser, ELIN)];
  const request = await ask(johan, "Production database, read", 8, reason);
  await openDecision(astrid, JOHAN, reason);
  await astrid.locator("summary", { hasText: "For less" }).click();
  await choose(astrid, "less", 2);
  await approve(astrid, "Approve for less", ASTRID);
  await openDecision(elin, JOHAN, reason);
  await expect(elin.getByText(/2 hours/).first()).toBeVisible();
  await approve(elin, /^Approve for 2 hours/, ELIN);
  await johan.goto(request);
  await expect(johan.getByText(/2 hours/).first()).toBeVisible();

  await johan.goto("/access");
  const mine = johan.getByRole("listitem").or(johan.locator(".rows > *")).filter({ hasText: "Production database, read" }).first();
  await mine.getByText("Give back", { exact: true }).click();
  await mine.getByRole("button", { name: /Give it back now/ }).click();
  await expect(johan.getByText("Given back. It is being removed now.")).toBeVisible();
});

test("a no says why, and an empty one keeps what was typed", async ({ browser }) => {
  const reason = "A look at the orders, please";
  const [johan, astrid] = [await as(browser, JOHAN), await as(browser, ASTRID)];
  const request = await ask(johan, "Production database, read", 1, reason);
  await openDecision(astrid, JOHAN, reason);
  await astrid.locator("summary", { hasText: "Deny" }).click();
  await astrid.getByLabel("Why not").fill("  no  ");
  await astrid.getByRole("button", { name: "Deny", exact: true }).click();
  await expect(astrid.getByText(/at least 5 characters/).first()).toBeVisible();
  await expect(astrid.getByLabel("Why not")).toHaveValue("  no  ");
  await astrid.getByLabel("Why not").fill("Use the nightly copy instead");
  await astrid.getByRole("button", { name: "Deny", exact: true }).click();
  await expect(astrid.getByRole("status")).toContainText("They were told why.");
  await johan.goto(request);
  await expect(johan.getByText("Use the nightly copy instead").first()).toBeVisible();
});

test("a form with faults says so beside the field and keeps what was typed", async ({ browser }) => {
  const johan = await as(browser, JOHAN);
  await johan.goto("/catalog?q=Production+database");
  await johan.getByRole("link", { name: /Production database, read/ }).first().click();
  await johan.getByRole("link", { name: "Ask for this" }).click();
  await choose(johan, "duration", 9999);
  await johan.getByLabel("Why do you need it?").fill("A reason that must stay");
  await johan.getByLabel("Which incident or ticket is this for?").fill("INC-4312");
  await johan.getByRole("button", { name: "Send the request" }).click();
  await expect(johan.getByText(/at most/i).first()).toBeVisible();
  await expect(johan.getByLabel("Why do you need it?")).toHaveValue("A reason that must stay");
});

test("what is written waits until it is sent, and a typed time is never dropped", async ({ browser }) => {
  const johan = await as(browser, JOHAN);
  await johan.goto("/catalog?q=Production+database");
  await johan.getByRole("link", { name: /Production database, read/ }).first().click();
  await johan.getByRole("link", { name: "Ask for this" }).click();
  const form = johan.url();
  await johan.locator("html[data-alive]").waitFor();
  await johan.getByLabel("Why do you need it?").fill("Written before lunch");
  await johan.goto("/access");
  await johan.goto(form);
  await expect(johan.getByLabel("Why do you need it?")).toHaveValue("Written before lunch");

  // Without the page's script nothing chooses "Another time" for somebody who types one.
  const still = await as(browser, JOHAN, { javaScriptEnabled: false });
  await still.goto(form);
  await still.locator('[name="duration_number"]').fill("3");
  await still.getByLabel("Why do you need it?").fill("A reason that must stay");
  await still.getByLabel("Which incident or ticket is this for?").fill("INC-4312");
  await still.getByRole("button", { name: "Send the request" }).click();
  const faults = still.getByRole("alert");
  await expect(faults).toContainText("Fix 1 thing");
  await expect(faults).toBeFocused();
  await expect(still).toHaveTitle(/^Fix 1 thing: /);
  await faults.getByRole("link", { name: "For how long?" }).click();
  await expect(still.locator('[name="duration_number"]')).toHaveValue("3");
});
