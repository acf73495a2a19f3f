// A review from its draft to the sealed report: security makes it, managers answer, somebody else signs it off.
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { ASTRID, ELIN, JOHAN, as } from "../people";

const TOMAS = "Tomas Ek";
const AMELIE = "Amélie Laurent";

test("a review ends in a sealed report", async ({ browser }) => {
  test.setTimeout(240_000);
  const name = `Review of a journey ${Date.now()}`;
  const elin = await as(browser, ELIN);
  await elin.goto("/reviews");
  await elin.getByRole("button", { name: "Everything, by managers" }).click();
  await expect(elin.getByText("Drafted.")).toBeVisible();
  await elin.getByLabel("What it is called").fill(name);
  await elin.getByLabel("For how many days it runs").fill("400");
  // The browser would hold back so many days by itself; the portal does not rely on it.
  await elin.locator("form", { has: elin.getByLabel("What it is called") })
    .evaluate((form: HTMLFormElement) => { form.noValidate = true; });
  await elin.getByRole("button", { name: "Save and count" }).click();
  // A fault is said beside its field, and what was typed stays.
  await expect(elin.getByRole("alert")).toContainText("Fix 1 thing");
  await expect(elin.getByLabel("What it is called")).toHaveValue(name);
  await elin.getByLabel("For how many days it runs").fill("7");
  await elin.getByRole("button", { name: "Start it" }).click();
  await expect(elin.getByText("not started yet")).toBeVisible();
  await expect(elin.getByRole("row", { name: new RegExp(ASTRID) })).toBeVisible();
  await elin.getByRole("button", { name: "Start it" }).click();
  await expect(elin.getByText("Everything is frozen")).toBeVisible();
  const campaign = elin.url().replace(/\?.*/, "");

  // One reviewer keeps one, revokes one and takes that back.
  const astrid = await as(browser, ASTRID);
  await astrid.goto(`${campaign}/items`);
  const first = astrid.locator("[data-item]").first();
  const who = await first.locator("h3").innerText();
  await first.getByRole("link", { name: who }).click();
  await expect(astrid.getByRole("heading", { name: "What it opens" })).toBeVisible();
  await astrid.locator("summary", { hasText: "Revoke" }).click();
  await astrid.locator("#reason-revoke").fill("Not needed since the move");
  await astrid.getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(astrid.getByText("It can be undone")).toBeVisible();
  await astrid.goto(`${campaign}/items?show=done`);
  await astrid.getByRole("link", { name: who }).click();
  await astrid.getByRole("button", { name: "Undo the answer" }).click();
  await expect(astrid.getByText("It waits for your answer again.")).toBeVisible();

  // Another reviewer answers for many at once, without the page's script.
  const amelie = await as(browser, AMELIE, { javaScriptEnabled: false });
  await amelie.goto(`${campaign}/items`);
  for (const box of (await amelie.getByRole("checkbox").all()).slice(0, 2)) await box.check();
  await amelie.getByRole("button", { name: "Keep the ticked" }).click();
  const asked = amelie.getByLabel("I mean all that are ticked");
  if (await asked.isVisible()) {
    await asked.check();
    await amelie.getByLabel("Why, for all that are ticked").fill("Both are in daily use");
    await amelie.getByRole("button", { name: "Keep the ticked" }).click();
  }
  await expect(amelie.getByText("Answered.", { exact: true })).toBeVisible();

  // An employee sees nothing of it.
  const johan = await as(browser, JOHAN);
  const refused = await johan.goto(`${campaign}/report`);
  expect(refused?.status()).toBe(404);

  // Giving it up here leaves the other journeys what they hold; the sample company has one that was signed off.
  await elin.goto(campaign);
  await elin.locator("summary", { hasText: "Give it up" }).click();
  await elin.getByLabel("Why").fill("Only a journey");
  await elin.getByRole("button", { name: "Give it up", exact: true }).click();
  await expect(elin.getByText("Given up.", { exact: true })).toBeVisible();
});

test("the one that made it does not sign it off, and the report is sealed", async ({ browser }) => {
  test.setTimeout(240_000);
  const name = `Found at the targets ${Date.now()}`;
  const [elin, tomas] = [await as(browser, ELIN), await as(browser, TOMAS)];
  await elin.goto("/reviews");
  await elin.getByRole("button", { name: "Everything, by managers" }).click();
  await elin.getByLabel("What it is called").fill(name);
  // Little enough to be answered whole, and nothing of what others look at.
  await elin.getByLabel("Department of whoever holds it").selectOption("Design");
  await elin.getByLabel("By rule").selectOption("security");
  await elin.getByRole("button", { name: "Save and count" }).click();
  await elin.getByRole("button", { name: "Start it" }).click();
  await expect(elin.getByText("Everything is frozen")).toBeVisible();
  const campaign = elin.url().replace(/\?.*/, "");
  for (const page of [elin, tomas]) {
    for (;;) {
      const answer = await page.goto(`${campaign}/items`);
      if (answer?.status() === 404) break;
      const boxes = page.getByRole("checkbox");
      if ((await boxes.count()) === 0) break;
      for (const box of await boxes.all()) await box.check();
      await page.getByLabel("Why, for all that are ticked").fill("Looked at each of them");
      await page.getByRole("button", { name: "Keep the ticked" }).click();
      const sure = page.getByLabel("I mean all that are ticked");
      if (await sure.isVisible()) {
        await sure.check();
        await page.getByRole("button", { name: "Keep the ticked" }).click();
      }
      await expect(page.getByText("Answered.", { exact: true })).toBeVisible();
    }
  }
  await elin.goto(campaign);
  await elin.getByRole("button", { name: "Close it now" }).click();
  await expect(elin.getByText("You made this review")).toBeVisible();
  await tomas.goto(campaign);
  await tomas.getByLabel("I take note of this").check();
  await tomas.getByLabel("What you looked at").fill("Ten items by hand");
  await tomas.getByRole("button", { name: "Sign it off" }).click();
  await expect(tomas.getByText("Signed off and sealed.")).toBeVisible();
  await tomas.goto(`${campaign}/report`);
  await expect(tomas.getByRole("heading", { name: "Every item" })).toBeVisible();
  const [download] = await Promise.all([
    tomas.waitForEvent("download"),
    tomas.getByRole("link", { name: "JSON lines, sealed" }).click(),
  ]);
  const lines = readFileSync(await download.path(), "utf8").trimEnd().split("\n");
  const head = JSON.parse(lines[0]);
  expect(head.population).toBe(lines.length - 1);
  expect(head.tally.open).toBe(0);
});
