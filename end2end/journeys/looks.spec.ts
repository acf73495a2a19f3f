// Every screen of every persona: nothing that axe finds, nothing scrolls sideways, no console errors, little weight.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { ASTRID, AUDITOR, ELIN, JOHAN, OPERATOR, as } from "../people";

const SCREENS: [string, string[]][] = [
  [JOHAN, ["/", "/catalog", "/requests", "/access", "/search?q=data", "/trial"]],
  [ASTRID, ["/", "/approvals", "/team"]],
  ["Olle Ström", ["/owned"]],
  [ELIN, ["/approvals", "/audit", "/evidence"]],
  [OPERATOR, ["/provisioning"]],
  [AUDITOR, ["/audit", "/evidence", "/provisioning"]],
  ["Freja Madsen", ["/admin/versions"]],
];

const VIEWS = [
  { name: "light", viewport: { width: 1280, height: 860 }, colorScheme: "light" as const },
  { name: "dark", viewport: { width: 1280, height: 860 }, colorScheme: "dark" as const },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light" as const },
];

for (const { name, ...view } of VIEWS) {
  test(`screens in ${name}`, async ({ browser }) => {
    test.setTimeout(240_000);
    for (const [person, paths] of SCREENS) {
      const page = await as(browser, person, view);
      const faults: string[] = [];
      page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
      page.on("pageerror", (error) => faults.push(String(error)));
      for (const path of paths) {
        const answer = await page.goto(path, { waitUntil: "load" });
        expect(answer?.status(), `${person} ${path}`).toBe(200);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
        expect(sideways, `${path} scrolls sideways`).toBe(false);
        const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
        const said = found.violations.map((one) => `${one.id} at ${one.nodes.map((node) => node.target).join(", ")}`);
        expect(said, `${person} ${path}`).toEqual([]);
        expect(faults, `${person} ${path}`).toEqual([]);
      }
      await page.context().close();
    }
  });
}

test("the first page weighs less than 150 KB in all", async ({ browser }) => {
  const page = await as(browser, JOHAN);
  const fresh = await (await browser.newContext({ storageState: await page.context().storageState() })).newPage();
  let bytes = 0;
  const sizes: Promise<void>[] = [];
  fresh.on("requestfinished", (request) =>
    sizes.push(request.sizes().then((size) => { bytes += size.responseBodySize + size.responseHeadersSize; }, () => {})));
  await fresh.goto("/", { waitUntil: "networkidle" }).catch(() => {});
  await Promise.all(sizes);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(150 * 1024);
});

test("the whole ask goes by keyboard", async ({ browser }) => {
  const page = await as(browser, JOHAN);
  await page.goto("/catalog");
  await page.keyboard.press("/");
  await page.keyboard.type("Production database");
  await page.keyboard.press("Enter");
  const wanted = page.getByRole("link", { name: /Production database, read/ }).first();
  await expect(wanted).toBeVisible();
  await wanted.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Ask for this" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Why do you need it?").focus();
  await page.keyboard.type("Asked with the keyboard alone");
  await page.keyboard.press("Tab");
  await page.keyboard.type("INC-4312");
  await page.getByRole("button", { name: "Send the request" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("Your request is on its way")).toBeVisible();
});
