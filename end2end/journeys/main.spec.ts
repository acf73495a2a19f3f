// The main job, with three people in three browsers: asked, approved twice, ready, ended, read back as gone, and proven.
import { expect, test } from "@playwright/test";
import { ASTRID, ELIN, JOHAN, approve, as, ask, openDecision, skip, verifyAudit } from "../people";

for (const javaScriptEnabled of [true, false]) {
  test(`from ask to proven removal, JavaScript ${javaScriptEnabled ? "on" : "off"}`, async ({ browser }) => {
    const options = { javaScriptEnabled };
    const reason = `Incident ${javaScriptEnabled ? 4312 : 4313}, order totals are wrong`;
    const johan = await as(browser, JOHAN, options);
    const astrid = await as(browser, ASTRID, options);
    const elin = await as(browser, ELIN, options);

    const request = await ask(johan, "Production database, read", 8, reason);
    await expect(johan.getByText(/Astrid Lindqvist/).first()).toBeVisible();

    await openDecision(astrid, JOHAN, reason);
    await approve(astrid, /^Approve for 8 hours/, ASTRID);
    await expect(astrid.getByRole("status")).toContainText("Approved: Johan Nyberg, Production database, read.");

    await openDecision(elin, JOHAN, reason);
    await approve(elin, /^Approve for 8 hours/, ELIN);
    await expect(elin.getByRole("status")).toContainText("It is being set up.");

    // Ready only when the target said so; the page follows by itself where it can.
    if (javaScriptEnabled) {
      await expect(johan.getByText("ready", { exact: true }).first()).toBeVisible({ timeout: 30_000 });
    } else {
      await expect(async () => {
        await johan.goto(request);
        await expect(johan.getByText("ready", { exact: true }).first()).toBeVisible({ timeout: 1000 });
      }).toPass({ timeout: 30_000 });
    }

    await skip(johan, "8 hours");
    await expect(async () => {
      await johan.goto(request);
      await expect(johan.getByText("Removed and confirmed")).toBeVisible({ timeout: 1000 });
    }).toPass({ timeout: 30_000 });
    await expect(johan.getByText("ended", { exact: true }).first()).toBeVisible();

    expect(verifyAudit()).toMatch(/whole/i);
  });
}
