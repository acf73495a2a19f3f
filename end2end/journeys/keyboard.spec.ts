// The keyboard alone: everything is reached with Tab, typed, and sent with Enter; nothing is clicked and nothing is focused by
// the test itself.
import { type Locator, type Page, expect, test } from "@playwright/test";
import { ASTRID, ELIN, JOHAN, as, ask } from "../people";

/** Presses Tab until the focus is there, as somebody without a mouse does. */
async function reach(page: Page, wanted: Locator) {
  await expect(wanted).toBeVisible();
  const there = () => wanted.evaluate((element) => element === document.activeElement);
  for (let pressed = 0; pressed < 120; pressed += 1) {
    if (await there()) return;
    await page.keyboard.press("Tab");
  }
  expect(await there(), `Tab never comes to ${wanted}`).toBe(true);
}

/** Goes there with Tab and presses a key. */
async function press(page: Page, wanted: Locator, key = "Enter") {
  await reach(page, wanted);
  await page.keyboard.press(key);
}

/** Goes there with Tab and types over what stands in it. */
async function type(page: Page, wanted: Locator, text: string) {
  await reach(page, wanted);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(text);
}

/** Opens the decision that says this, from the queue. */
async function openByKeyboard(page: Page, reason: string) {
  await page.goto("/approvals");
  const row = page.locator(".rows > *").filter({ hasText: reason });
  await press(page, row.getByRole("link", { name: new RegExp(JOHAN) }).first());
  await expect(page.getByRole("heading", { level: 1 })).toContainText(JOHAN);
}

test("a manager asks back, gets an answer and decides, by keyboard", async ({ browser }) => {
  const reason = "Order totals, with the keyboard alone";
  const [johan, astrid] = [await as(browser, JOHAN), await as(browser, ASTRID)];
  const request = await ask(johan, "Production database, read", 2, reason);

  await openByKeyboard(astrid, reason);
  await press(astrid, astrid.locator("summary", { hasText: "Ask back" }));
  await type(astrid, astrid.getByLabel("Your question"), "Which of the totals is it?");
  await press(astrid, astrid.getByRole("button", { name: "Ask", exact: true }));
  await expect(astrid.getByText("Which of the totals is it?").first()).toBeVisible();

  await johan.goto(request);
  await type(johan, johan.getByLabel("Your answer"), "That of the second week");
  await press(johan, johan.getByRole("button", { name: "Answer", exact: true }));
  await expect(johan.getByText("That of the second week").first()).toBeVisible();

  await openByKeyboard(astrid, reason);
  await expect(astrid.getByText("That of the second week").first()).toBeVisible();
  await press(astrid, astrid.getByRole("button", { name: /^Approve for 2 hours/ }));
  await expect(astrid.getByRole("status")).toContainText("Approved: Johan Nyberg, Production database, read.");
});

test("security says no and why, by keyboard", async ({ browser }) => {
  const reason = "A look at the rows, by keyboard";
  const [johan, astrid, elin] = [await as(browser, JOHAN), await as(browser, ASTRID), await as(browser, ELIN)];
  const request = await ask(johan, "Production database, read", 1, reason);
  await openByKeyboard(astrid, reason);
  await press(astrid, astrid.getByRole("button", { name: /^Approve for 1 hour/ }));
  await openByKeyboard(elin, reason);
  await press(elin, elin.locator("summary", { hasText: "Deny" }));
  await type(elin, elin.getByLabel("Why not"), "no");
  await press(elin, elin.getByRole("button", { name: "Deny", exact: true }));
  await expect(elin.getByText(/at least 5 characters/).first()).toBeVisible();
  await type(elin, elin.getByLabel("Why not"), "The nightly copy has the same rows");
  await press(elin, elin.getByRole("button", { name: "Deny", exact: true }));
  await expect(elin.getByRole("status")).toContainText("They were told why.");
  await johan.goto(request);
  await expect(johan.getByText("The nightly copy has the same rows").first()).toBeVisible();
});

test("a manager names who stands in and ends it again, by keyboard", async ({ browser }) => {
  const astrid = await as(browser, ASTRID);
  await astrid.goto("/approvals/deputies");
  await type(astrid, astrid.getByLabel("Look for a colleague"), "olle");
  await astrid.keyboard.press("Enter");
  const someone = astrid.getByRole("radio").first();
  await reach(astrid, someone);
  await astrid.keyboard.press("Space");
  await expect(someone).toBeChecked();
  await press(astrid, astrid.getByRole("button", { name: "Let them stand in" }));
  const end = astrid.getByRole("button", { name: /^End: / }).first();
  await expect(end).toBeVisible();
  await press(astrid, end);
  await expect(astrid.getByRole("button", { name: /^End: / })).toHaveCount(0);
});
