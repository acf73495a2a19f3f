// Who acts in the journeys, and what everybody does alike.
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContextOptions, type Page, expect } from "@playwright/test";

export const JOHAN = "Johan Nyberg";
export const ASTRID = "Astrid Lindqvist";
export const ELIN = "Elin Berg";
export const OPERATOR = "Piotr Zieliński";
export const AUDITOR = "Helena Virtanen";

/** A browser of their own, signed in through the provider's page. */
export async function as(browser: Browser, name: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto("/");
  const button = page.getByRole("button", { name }).first();
  await page.getByRole("searchbox").first().waitFor();
  // The provider's page offers some; all others are looked for.
  if (!(await button.isVisible())) {
    await page.getByRole("searchbox").first().fill(name);
    await page.keyboard.press("Enter");
  }
  await button.click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page).toHaveURL(/127\.0\.0\.1/);
  return page;
}

/** Asks for a package for some hours through its form; gives the address of the request. */
export async function ask(page: Page, name: string, hours: number, reason: string): Promise<string> {
  await page.goto("/catalog");
  await page.getByRole("searchbox", { name: /catalogue|search/i }).last().fill(name);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name, exact: false }).first().click();
  await page.getByRole("link", { name: "Ask for this" }).click();
  await choose(page, "duration", hours);
  await page.getByLabel("Why do you need it?").fill(reason);
  await page.getByLabel("Which incident or ticket is this for?").fill("INC-4312");
  await page.getByRole("button", { name: "Send the request" }).click();
  await expect(page.getByText("Your request is on its way")).toBeVisible();
  return page.url().replace(/\?.*/, "");
}

/** Says how long, with the field's own number and unit: they are there with and without JavaScript. */
export async function choose(page: Page, field: string, hours: number) {
  await page.locator(`label[for="${field}-other"]`).click();
  await page.locator(`[name="${field}_number"]`).fill(String(hours));
  await page.locator(`[name="${field}_unit"]`).selectOption("hours");
}

/** Opens the decision that waits for `asker` and this package. */
export async function openDecision(page: Page, asker: string, reason: string) {
  await page.goto("/approvals");
  await page.locator(".rows > *").filter({ hasText: reason }).getByRole("link", { name: new RegExp(asker) }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(asker);
}

/** Presses a button that approves, and signs in once more where the decision asks for it. */
export async function approve(page: Page, name: string | RegExp, who: string) {
  await page.getByRole("button", { name }).click();
  const again = page.getByRole("heading", { name: "Sign in once more" });
  await expect(again.or(page.getByRole("status").filter({ hasText: "Approved: " })).first()).toBeVisible();
  if (await again.isVisible()) {
    await page.getByRole("button", { name: who }).click();
  }
}

/** Lets the trial's time pass. */
export async function skip(page: Page, words: string) {
  await page.goto("/trial");
  await page.getByRole("button", { name: `Skip ${words}` }).click();
  await expect(page.getByText("Time has passed")).toBeVisible({ timeout: 60_000 });
}

/** What the command line says of the audit log, from another process. */
export function verifyAudit(): string {
  const binary = process.env.LATCHKEY_BIN ?? resolve("target/trial/latchkey");
  const folder = process.env.LATCHKEY_FOLDER ?? "var";
  const args = [
    "audit", "verify", "--database", `sqlite:${join(folder, "latchkey.db")}`, "--key", join(folder, "audit.pub"),
  ];
  return execFileSync(binary, args, { encoding: "utf8" });
}
