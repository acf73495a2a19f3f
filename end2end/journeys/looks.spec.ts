// Every screen in light, dark and on phones: axe finds nothing, nothing scrolls sideways, nothing is logged as an error; the first page
// stays light.
import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";
import { ASTRID, AUDITOR, ELIN, JOHAN, OPERATOR, as } from "../people";

/** What a screen is called, and how to get there. */
type Screen = [name: string, go: (page: Page) => Promise<unknown>];

/** A screen at an address of its own. */
function at(path: string, status = 200): Screen {
  return [path, async (page) => {
    const answer = await page.goto(path, { waitUntil: "load" });
    expect(answer?.status(), path).toBe(status);
  }];
}

/** The screen that the first link of this kind leads to, from a list; what is folded away counts. */
function first(list: string, link: string, within = "main"): Screen {
  return [`${list} > ${link}`, async (page) => {
    await page.goto(list);
    const href = await page.locator(`${within} a[href*="${link}"]`).first().getAttribute("href");
    expect(href, `${list} leads to ${link}`).toBeTruthy();
    const answer = await page.goto(href ?? "", { waitUntil: "load" });
    expect(answer?.status(), href ?? "").toBe(200);
  }];
}

/** The form of a package, sent as it is: every field says what is wrong with it. */
const faults: Screen = ["a form with faults", async (page) => {
  await first("/catalog", "/request/pkg_")[1](page);
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.request().method() === "POST"),
    page.evaluate(() => {
      const form = document.querySelector<HTMLFormElement>("main form[method=post]");
      if (form) {
        form.noValidate = true;
        form.requestSubmit();
      }
    }),
  ]);
  expect(answer.status()).toBe(422);
  // The answer is there before its page is.
  await expect(page).toHaveTitle(/^Fix /);
  await page.waitForLoadState("load");
}];

/** The cart with something in it. */
const cart: Screen = ["a cart with something in it", async (page) => {
  await page.goto("/catalog");
  await page.getByRole("button", { name: /^Add to cart/ }).first().click();
  await page.waitForURL(/\/request\?done=added/);
  await expect(page.getByRole("link", { name: /^Change / }).first()).toBeVisible();
}];

/** Colleagues who may take a decision over, and who may not. */
const handOn: Screen = ["a decision to hand on", async (page) => {
  await first("/approvals", "/approvals/stg_")[1](page);
  await page.getByRole("link", { name: "Hand on" }).click();
  await page.getByRole("searchbox", { name: "Look for a colleague" }).fill("an");
  await page.getByRole("button", { name: "Look" }).click();
  await page.waitForURL(/find=an/);
  await expect(page.getByRole("radio").first()).toBeVisible();
}];

/** Evidence with rows, as an auditor asks for it. */
const population: Screen = ["evidence with rows", async (page) => {
  await page.goto("/evidence");
  await page.getByLabel("Application").selectOption({ label: "Figma" });
  await page.getByRole("button", { name: "Show who held what" }).click();
  await page.waitForURL(/application=/);
  await expect(page.getByRole("table")).toBeVisible();
}];

/** The kill switch of somebody, before it is used. */
const stopping: Screen = ["the kill switch", async (page) => {
  await first("/search?q=Maya", "/people/per_")[1](page);
  await page.getByRole("link", { name: "Stop them" }).click();
  await page.waitForURL(/\/suspend$/);
  await expect(page.getByRole("button", { name: "Stop them now" })).toBeVisible();
}];

/** What a review that was signed off leaves: the campaign's page has the way to it. */
const report: Screen = ["a sealed report", async (page) => {
  await page.goto("/reviews");
  const signed = page.locator(".rows > *").filter({ hasText: "Signed off" }).locator('a[href*="/reviews/cmp_"]').first();
  const answer = await page.goto(`${await signed.getAttribute("href")}/report`, { waitUntil: "load" });
  expect(answer?.status()).toBe(200);
}];

/** One item of a worklist, as its reviewer sees it. */
const item: Screen = ["an item of a review", async (page) => {
  await first("/reviews", "/items")[1](page);
  const href = await page.locator('main a[href*="/items/itm_"]').first().getAttribute("href");
  expect(href, "the worklist leads to its items").toBeTruthy();
  await page.goto(href ?? "", { waitUntil: "load" });
}];

const SCREENS: [string, Screen[]][] = [
  [JOHAN, [
    at("/"), at("/catalog"), at("/catalog?q=AADSTS50105%3A+Figma+is+not+assigned+to+your+account+or+to+a+group+of+yours"),
    at("/catalog?risk=privileged"), first("/catalog", "/catalog/pkg_"), first("/catalog", "/request/pkg_"), faults,
    at("/request"), cart, first("/request", "/request/lines/dfl_"),
    at("/request/like"), first("/request/like", "like="),
    at("/requests"), first("/requests", "/requests/req_"), at("/access"), at("/notifications"), first("/access", "/extend"),
    at("/access/extend"), at("/access/return"), first("/access", "/access/why/ent_"),
    at("/search?q=data"), at("/search?q=nothing-is-called-this"), at("/trial"), at("/signed-out"),
    at("/nothing/is/here", 404), at("/requests/req_00000000000000000000000000000000", 404), at("/audit", 403),
  ]],
  [ASTRID, [at("/"), at("/approvals"), at("/approvals/deputies"), at("/approvals/deputies?q=olle"), first("/approvals", "/approvals/stg_"), handOn, at("/team"), first("/team", "/people/per_"),
    at("/reviews"), first("/reviews", "/items"), item,
    first("/team", "/access/change"), first("/team", "/access/why/gra_")]],
  ["Olle Ström", [at("/owned"), first("/owned", "/owned/pkg_"), at("/tasks"), first("/tasks", "/tasks/tsk_")]],
  [ELIN, [
    at("/findings"), first("/findings", "/findings/fnd_"), at("/exceptions"), first("/exceptions", "/exceptions/exc_"),
    at("/admin/conflicts"), first("/admin/conflicts", "/admin/conflicts/cft_"), at("/approvals"), at("/audit"), at("/evidence"), at("/admin/holds"), first("/search?q=Johan", "/people/per_"),
    // Somebody with the longest name there is, and somebody whose name is written from right to left.
    first("/search?q=Maximiliane", "/people/per_"), first("/search?q=%D7%99%D7%A2%D7%9C", "/people/per_"),
    stopping, at("/reviews"), first("/reviews", "/reviews/cmp_"), report, at("/admin/roles"),
  ]],
  [OPERATOR, [at("/provisioning"), first("/provisioning", "/provisioning/asg_"), first("/provisioning", "/provisioning/targets/tgt_")]],
  [AUDITOR, [
    at("/audit"), at("/audit?by=Berg&from=2020-13-01"), first("/audit", "/audit/", "main table"), at("/evidence"), population,
    at("/evidence/changes?from=2026-01-01&until=2026-01-31"), at("/provisioning"), at("/admin/holds"), at("/admin/versions"),
  ]],
  ["Rosa Fernández", [at("/admin/holds")]],
  ["\u05d9\u05e2\u05dc \u05db\u05d4\u05df", [at("/"), at("/access"), at("/requests"), first("/catalog", "/request/pkg_")]],
  ["Maximiliane Alexandra Freifrau von Hohenstein-Lichtenberg", [at("/"), at("/access"), first("/catalog", "/request/pkg_")]],
  ["Freja Madsen", [at("/admin/versions"), first("/admin/versions", "/admin/versions/cat_")]],
];

const DESK = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };
// All rules once, best practice included: headings in order, everything in a landmark. What another width or other colours can break
// is asked again there.
const COLOURS = ["color-contrast", "link-in-text-block"];
const WIDTH = ["target-size", "scrollable-region-focusable", "region", "aria-hidden-focus", "heading-order", "landmark-unique"];
const VIEWS = [
  { name: "light", rules: undefined, viewport: DESK, colorScheme: "light" as const },
  { name: "dark", rules: COLOURS, viewport: DESK, colorScheme: "dark" as const },
  { name: "phone", rules: [...COLOURS, ...WIDTH], viewport: PHONE, colorScheme: "light" as const },
  { name: "dark phone", rules: COLOURS, viewport: PHONE, colorScheme: "dark" as const },
];

test.describe.configure({ mode: "parallel" });

for (const { name, rules, ...view } of VIEWS) {
  test(`screens in ${name}`, async ({ browser }) => {
    test.setTimeout(600_000);
    for (const [person, screens] of SCREENS) {
      const page = await as(browser, person, view);
      const logged: string[] = [];
      // A page that says no is itself logged as a resource that could not be had.
      page.on("console", (message) => {
        if (message.type() === "error" && !/Failed to load resource/.test(message.text())) logged.push(message.text());
      });
      page.on("pageerror", (error) => logged.push(String(error)));
      for (const [screen, go] of screens) {
        await go(page);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
        expect.soft(sideways, `${screen} scrolls sideways`).toBe(false);
        // Without a page of its own for what it gathers from frames: there are none here, and that takes half of the time.
        const axe = new AxeBuilder({ page }).setLegacyMode(true);
        const found = await (rules ? axe.withRules(rules) : axe).analyze();
        const said = found.violations.map((one) => `${one.id} at ${one.nodes.map((node) => node.target).join(", ")}`);
        expect.soft(said, `${person} ${screen}`).toEqual([]);
        expect.soft(logged, `${person} ${screen}`).toEqual([]);
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
