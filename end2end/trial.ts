// Starts the trial in a folder of its own, on ports of its own, and stops it afterwards. Its first start plays a year.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PORT = 31700;
const SANDBOX = 31701;

export default async function start() {
  const binary = process.env.LATCHKEY_BIN ?? resolve("target/trial/latchkey");
  const folder = mkdtempSync(join(tmpdir(), "latchkey-journeys-"));
  const args = ["trial", "--folder", folder, "--port", String(PORT), "--sandbox-port", String(SANDBOX)];
  const portal = spawn(binary, args, { stdio: ["ignore", "inherit", "inherit"] });
  let ended = false;
  portal.on("exit", (code) => {
    ended = true;
    if (code) console.error(`the portal ended with ${code}`);
  });
  process.env.LATCHKEY_FOLDER = folder;
  const deadline = Date.now() + 240_000;
  for (;;) {
    if (ended) throw new Error("the portal ended before it was ready");
    if (Date.now() > deadline) throw new Error("the portal was not ready within four minutes");
    const ready = await fetch(`http://127.0.0.1:${PORT}/health/ready`).catch(() => undefined);
    if (ready?.ok) break;
    await new Promise((again) => setTimeout(again, 250));
  }
  return async () => {
    if (!ended) {
      portal.kill("SIGTERM");
      await new Promise((done) => portal.on("exit", done));
    }
    rmSync(folder, { recursive: true, force: true });
  };
}
