// What everybody else comes for: who stops people, who confirms what HR's feed would do, who publishes the catalogue, who looks
// for proof, and who may not have everything.
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { AUDITOR, ELIN, JOHAN, as } from "../people";

const CONTRACTOR = "Liam O’Connor";

test("security stops a person, who is out at once, and lets them go on", async ({ browser }) => {
  const [liam, elin] = [await as(browser, CONTRACTOR), await as(browser, ELIN)];
  await elin.goto("/search?q=Liam");
  await elin.getByRole("link", { name: new RegExp(CONTRACTOR) }).first().click();
  const person = elin.url();
  await elin.getByRole("link", { name: "Stop them" }).click();
  await elin.getByText("Hold it back", { exact: true }).click();
  await elin.getByLabel("Why?").fill("Their laptop was stolen this morning");
  await elin.getByRole("button", { name: "Stop them now" }).click();
  const again = elin.getByRole("heading", { name: "Sign in once more" });
  const stopped = elin.getByRole("heading", { name: `${CONTRACTOR} is stopped` });
  await expect(again.or(stopped).first()).toBeVisible();
  if (await again.isVisible()) await elin.getByRole("button", { name: ELIN }).click();
  await expect(stopped).toBeVisible();
  await liam.goto("/access");
  await expect(liam.getByRole("heading", { name: "My access" })).toBeHidden();
  await elin.locator("summary", { hasText: "Let them go on" }).click();
  await elin.getByLabel("Why").fill("It was found in the office");
  await elin.getByRole("button", { name: "Let them go on" }).click();
  await elin.goto(person);
  await expect(elin.getByRole("link", { name: "Stop them" })).toBeVisible();
});

test("HR sees what is held back for them to confirm, and nothing of how things are run", async ({ browser }) => {
  const rosa = await as(browser, "Rosa Fernández");
  await rosa.getByRole("link", { name: "Held changes" }).first().click();
  await expect(rosa.getByRole("heading", { name: "Nothing is held" })).toBeVisible();
  for (const path of ["/provisioning", "/audit", "/evidence"]) {
    const refused = await rosa.goto(path);
    expect(refused?.status(), path).toBe(403);
  }
});

test("whoever handed in a version does not decide it; an administrator reads what it changes and refuses it", async ({ browser }) => {
  const [freja, nils] = [await as(browser, "Freja Madsen"), await as(browser, "Nils Åberg")];
  await freja.goto("/admin/versions");
  await freja.locator('main a[href*="/admin/versions/cat_"]').first().click();
  await expect(freja.getByText("A second person decides.")).toBeVisible();
  await nils.goto(freja.url());
  await expect(nils.getByText("It widens what people may get.")).toBeVisible();
  await nils.locator("summary", { hasText: "Refuse" }).click();
  await nils.getByRole("button", { name: "Refuse this version" }).click();
  await expect(nils.getByRole("status")).toContainText("Dismissed");
});

test("an auditor takes who held what with them, and an employee does not", async ({ browser }) => {
  const [helena, johan] = [await as(browser, AUDITOR), await as(browser, JOHAN)];
  await helena.goto("/evidence");
  await helena.getByLabel("Application").selectOption({ label: "Figma" });
  await helena.getByRole("button", { name: "Show who held what" }).click();
  const link = helena.getByRole("link", { name: /CSV/ }).first();
  const [download] = await Promise.all([helena.waitForEvent("download"), link.click()]);
  const rows = readFileSync(await download.path(), "utf8").trimEnd().split("\n");
  expect(rows.length).toBeGreaterThan(1);
  const refused = await johan.goto((await link.getAttribute("href")) ?? "");
  expect(refused?.status()).toBe(403);
});

test("a contractor reads why something is not for them", async ({ browser }) => {
  const liam = await as(browser, CONTRACTOR);
  await liam.goto("/catalog?q=Security+logs");
  await liam.getByRole("link", { name: /Security logs, read/ }).first().click();
  await expect(liam.getByText("Only for employees.").first()).toBeVisible();
  await expect(liam.getByRole("link", { name: "Ask for this" })).toBeHidden();
});
