// One walk through the product that leaves the pictures of README.md in docs/pictures.
import { type Page, expect, test } from "@playwright/test";
import { ASTRID, ELIN, JOHAN, OPERATOR, approve, as, ask, openDecision, skip } from "../people";

const REASON = "Incident 4312, order totals are wrong since 06:40. I need to compare ledger rows.";

/** The sample company's bar is left out: it is not part of the product. */
async function picture(page: Page, name: string) {
  await page.evaluate(() => document.querySelector(".trialbar")?.remove());
  await page.mouse.move(0, 0);
  await page.waitForTimeout(500);
  await page.screenshot({ path: `docs/pictures/${name}.png` });
}

test("pictures", async ({ browser }) => {
  const viewport = { width: 1280, height: 860 };
  const johan = await as(browser, JOHAN, { viewport });
  const astrid = await as(browser, ASTRID, { viewport });
  const elin = await as(browser, ELIN, { viewport, colorScheme: "dark" });
  const operator = await as(browser, OPERATOR, { viewport });

  const request = await ask(johan, "Production database, read", 8, REASON);
  await astrid.goto("/");
  await picture(astrid, "home");
  await johan.goto("/catalog");
  await picture(johan, "catalogue");

  await openDecision(astrid, JOHAN, REASON);
  await approve(astrid, /^Approve for 8 hours/, ASTRID);
  await openDecision(elin, JOHAN, REASON);
  await picture(elin, "decision-dark");
  await approve(elin, /^Approve for 8 hours/, ELIN);
  await expect(async () => {
    await johan.goto(request);
    await expect(johan.getByText("ready", { exact: true }).first()).toBeVisible({ timeout: 1000 });
  }).toPass({ timeout: 30_000 });
  await operator.goto("/provisioning");
  await picture(operator, "provisioner");

  await skip(johan, "8 hours");
  await expect(async () => {
    await johan.goto(request);
    await expect(johan.getByText(/confirmed/i).first()).toBeVisible({ timeout: 1000 });
  }).toPass({ timeout: 30_000 });
  await picture(johan, "ended");
});
