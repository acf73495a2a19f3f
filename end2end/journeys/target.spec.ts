// A target that fails and recovers: nothing is lost, and the page says how it stands meanwhile.
import { expect, test } from "@playwright/test";
import { ASTRID, ELIN, JOHAN, OPERATOR, approve, as, ask, openDecision } from "../people";

test("a failing target recovers by itself", async ({ browser }) => {
  const reason = "The target is down while this is approved";
  const [johan, astrid, elin] = [await as(browser, JOHAN), await as(browser, ASTRID), await as(browser, ELIN)];
  const operator = await as(browser, OPERATOR);
  const request = await ask(johan, "Production database, read", 3, reason);
  await openDecision(astrid, JOHAN, reason);
  await approve(astrid, /^Approve for 3 hours/, ASTRID);

  await operator.goto("/trial");
  await operator.getByRole("button", { name: /server errors/i }).click();
  await expect(operator.getByText("The sandbox was switched.")).toBeVisible();
  await openDecision(elin, JOHAN, reason);
  await approve(elin, /^Approve for 3 hours/, ELIN);

  await operator.goto("/trial");
  await operator.getByRole("button", { name: /server errors/i }).click();
  await expect(operator.getByText("The sandbox was switched.")).toBeVisible();
  await expect(async () => {
    await johan.goto(request);
    await expect(johan.getByText("ready", { exact: true }).first()).toBeVisible({ timeout: 1000 });
  }).toPass({ timeout: 60_000 });
});
