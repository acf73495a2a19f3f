// What a team has, and what the members of a group decide.
import { expect, test } from "@playwright/test";
import { ASTRID, JOHAN, as, choose } from "../people";

test("what the team has is looked at by oneself, and what is ticked lies in the cart", async ({ browser }) => {
  const johan = await as(browser, JOHAN, { javaScriptEnabled: false });
  await johan.goto("/request");
  await johan.getByRole("link", { name: "What your team has" }).first().click();
  await expect(johan.getByRole("heading", { level: 1 })).toHaveText("What your team has");
  // Some colleague has something that Johan lacks.
  const colleagues = await johan.locator("section.card").filter({ hasText: "Like a colleague" }).getByRole("link").all();
  const ways = await Promise.all(colleagues.map((link) => link.getAttribute("href")));
  const boxes = johan.getByRole("checkbox");
  for (const way of ways) {
    if (!way?.includes("like=")) continue;
    await johan.goto(way);
    await expect(johan.getByRole("heading", { level: 2, name: /^Like / }).first()).toBeVisible();
    if ((await boxes.count()) > 0) break;
  }
  const proposed = await boxes.count();
  expect(proposed).toBeGreaterThan(0);
  for (let place = 1; place < proposed; place += 1) {
    await boxes.nth(place).uncheck();
  }
  await johan.getByRole("button", { name: "Add to cart" }).click();
  await expect(johan.getByText("It is in your cart.")).toBeVisible();
});

test("nobody is like somebody of another team", async ({ browser }) => {
  const [johan, astrid] = [await as(browser, JOHAN), await as(browser, ASTRID)];
  await astrid.goto("/team");
  const report = await astrid.getByRole("link", { name: JOHAN }).first().getAttribute("href");
  const id = report?.split("/").pop() ?? "";
  // Of himself, or for himself by somebody who does not lead him, there is nothing to see.
  const own = await johan.goto(`/request/like?like=${id}`);
  expect(own?.status()).toBe(404);
  const theirs = await astrid.goto(`/request/like?for=${id}`);
  expect(theirs?.status()).toBe(200);
});

test("a member of the group decides", async ({ browser }) => {
  const [johan, astrid] = [await as(browser, JOHAN), await as(browser, ASTRID)];
  await johan.goto("/catalog?q=guest+shift");
  await johan.getByRole("link", { name: /Order desk, guest shift/ }).first().click();
  await expect(johan.getByText("Member of Team Orders").first()).toBeVisible({ timeout: 30_000 });
  await johan.getByRole("link", { name: "Ask for this" }).click();
  await choose(johan, "duration", 8);
  await johan.getByLabel("Why do you need it?").fill("Saturday at the order desk");
  await johan.getByRole("button", { name: "Send the request" }).click();
  await expect(johan.getByText("Your request is on its way")).toBeVisible();
  await astrid.goto("/approvals");
  await expect(astrid.getByText("Saturday at the order desk").first()).toBeVisible({ timeout: 30_000 });
});
