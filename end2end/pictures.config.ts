// The pictures of README.md, taken from the running product: `make pictures`.
import { defineConfig } from "@playwright/test";
import journeys from "./playwright.config";

export default defineConfig({
  ...journeys,
  testDir: "pictures",
  timeout: 240_000,
  use: { ...journeys.use, viewport: { width: 1280, height: 860 } },
});
