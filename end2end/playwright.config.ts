// Journeys in Chromium against the binary that `make run` starts: one trial company, made once, for all of them.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "journeys",
  outputDir: "results",
  globalSetup: "./trial.ts",
  // One company, one clock: what skips time must not do so under somebody else's feet. What only looks at screens comes first, two
  // at once.
  workers: 2,
  fullyParallel: false,
  projects: [
    { name: "looks", testMatch: /looks/, use: { trace: "off" } },
    { name: "journeys", testIgnore: /looks/, workers: 1, dependencies: ["looks"] },
  ],
  forbidOnly: true,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL: process.env.LATCHKEY_URL ?? "http://127.0.0.1:31700",
    actionTimeout: 10_000,
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
      ],
    },
  },
});
