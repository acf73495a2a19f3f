// Each persona's main job with the keyboard alone: what is wanted is reached with Tab, never put in focus by the test.
import { type Locator, type Page, expect, test } from "@playwright/test";
import { ASTRID, ELIN, JOHAN, OPERATOR, as } from "../people";

/** Tabs on until this is in focus, past the ways of every page; whoever cannot get there with the keys cannot get there at all. */
async function tabTo(page: Page, wanted: Locator) {
  await expect(wanted).toBeVisible();
  if (await page.evaluate(() => document.activeElement === document.body && scrollY === 0)) {
    await page.keyboard.press("Tab");
    // The provider's own page has none.
    const skip = page.getByRole("link", { name: "Skip to the content" });
    if (await skip.evaluateAll((links) => links.includes(document.activeElement as HTMLElement))) await page.keyboard.press("Enter");
  }
  for (let pressed = 0; pressed < 150; pressed++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) {
      await expect(wanted).toBeInViewport({ ratio: 0.01 });
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${wanted}`);
}

/** Tabs to it and presses Enter. */
async function enter(page: Page, wanted: Locator) {
  await tabTo(page, wanted);
  await page.keyboard.press("Enter");
}

/** Tabs to a field and types. */
async function type(page: Page, field: Locator, words: string) {
  await tabTo(page, field);
  await page.keyboard.type(words);
}

/** Says yes to the newest ask of this reason, with the sign-in that it takes. */
async function sayYes(page: Page, who: string, reason: string) {
  await page.goto("/approvals");
  const line = page.locator(".rows > *").filter({ hasText: reason });
  await enter(page, line.getByRole("link", { name: new RegExp(JOHAN) }).first());
  await enter(page, page.getByRole("button", { name: /^Approve for/ }));
  await enter(page, page.getByRole("button", { name: who }));
  await expect(page.getByRole("status").filter({ hasText: "Approved: " })).toBeVisible();
}

test("asked, approved twice and given back by keyboard", async ({ browser }) => {
  test.setTimeout(180_000);
  const reason = "Asked with the keyboard alone";
  const [johan, astrid, elin] = [await as(browser, JOHAN), await as(browser, ASTRID), await as(browser, ELIN)];
  await johan.goto("/catalog");
  await johan.keyboard.press("/");
  await johan.keyboard.type("Production database");
  await johan.keyboard.press("Enter");
  await enter(johan, johan.getByRole("link", { name: /Production database, read/ }).first());
  await enter(johan, johan.getByRole("link", { name: "Ask for this" }));
  await type(johan, johan.getByLabel("Why do you need it?"), reason);
  await type(johan, johan.getByLabel("Which incident or ticket is this for?"), "INC-4312");
  await enter(johan, johan.getByRole("button", { name: "Send the request" }));
  await expect(johan.getByText("Your request is on its way")).toBeVisible();

  await sayYes(astrid, ASTRID, reason);
  await sayYes(elin, ELIN, reason);

  await johan.goto("/access");
  const mine = johan.locator(".rows > *").filter({ hasText: "Production database, read" }).first();
  await enter(johan, mine.getByText("Give back", { exact: true }));
  await enter(johan, mine.getByRole("button", { name: /Give it back now/ }));
  await expect(johan.getByText("Given back. It is being removed now.")).toBeVisible();
});

test("an item of a review is kept, and the answer taken back, by keyboard", async ({ browser }) => {
  const astrid = await as(browser, ASTRID);
  await astrid.goto("/reviews");
  await enter(astrid, astrid.locator('main a[href*="/items"]').first());
  const link = astrid.locator("[data-item] h3 a").first();
  const who = await link.innerText();
  await enter(astrid, link);
  await enter(astrid, astrid.locator("summary", { hasText: "Revoke" }));
  await type(astrid, astrid.locator("#reason-revoke"), "Not needed since the move");
  await enter(astrid, astrid.getByRole("button", { name: "Revoke", exact: true }));
  await expect(astrid.getByText("It can be undone")).toBeVisible();
  await astrid.goto(`${astrid.url().replace(/\/items.*/, "")}/items?show=done`);
  await enter(astrid, astrid.getByRole("link", { name: who }).first());
  await enter(astrid, astrid.getByRole("button", { name: "Undo the answer" }));
  await expect(astrid.getByText("It waits for your answer again.")).toBeVisible();
});

test("what waits to be done by hand is noted by keyboard", async ({ browser }) => {
  const olle = await as(browser, "Olle Ström");
  await olle.goto("/tasks");
  await enter(olle, olle.locator('main a[href*="/tasks/tsk_"]').first());
  await type(olle, olle.locator("#note-done"), "Badge 4312");
  await enter(olle, olle.locator("form", { has: olle.locator("#note-done") }).getByRole("button"));
  await expect(olle.getByRole("status")).toBeVisible();
});

test("an operator pauses a target and lets it go on by keyboard", async ({ browser }) => {
  const operator = await as(browser, OPERATOR);
  await operator.goto("/provisioning");
  const name = (await operator.locator("button", { hasText: /^Pause ./ }).last().textContent()) ?? "";
  const target = name.replace("Pause ", "");
  const card = operator.locator("section", { has: operator.getByRole("heading", { name: target, exact: true }) });
  await enter(operator, card.locator("summary"));
  await type(operator, card.getByLabel("Why"), "A look at its listings");
  await enter(operator, card.getByRole("button", { name }));
  await expect(card.getByText("Resume", { exact: true })).toBeVisible();
  await enter(operator, card.locator("summary", { hasText: "Resume" }));
  await enter(operator, card.getByRole("button", { name: `Resume ${target}` }));
  await expect(card.getByText("Pause", { exact: true })).toBeVisible();
});
