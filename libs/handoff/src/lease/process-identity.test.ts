import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isProvenDead, readProcessIdentity } from "./process-identity.ts";

const isLinux = process.platform === "linux";

describe("isProvenDead", () => {
  it("is never true of a process that runs", () => {
    expect(isProvenDead(readProcessIdentity())).toBe(false);
  });

  it.runIf(isLinux)("is true of one that was killed, and not before", async () => {
    const child = spawn("sleep", ["600"]);
    const pid = child.pid ?? 0;
    const identity = { ...readProcessIdentity(pid) };
    expect(isProvenDead(identity)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isProvenDead(identity)).toBe(true);
  });

  it.runIf(isLinux)("takes another process of the same number for dead", () => {
    const own = readProcessIdentity();
    expect(isProvenDead({ ...own, instance: `${own.instance}0` })).toBe(true);
  });

  it("proves nothing of another machine, another boot or another container", () => {
    const own = readProcessIdentity();
    expect(isProvenDead({ ...own, pid: 999_999_999, instance: "" })).toBe(false);
    expect(isProvenDead({ ...own, pid: 999_999_999, instance: "otherboot/pid:[1]/1" })).toBe(false);
    const [boot] = own.instance.split("/");
    expect(isProvenDead({ ...own, pid: 999_999_999, instance: `${boot}/pid:[1]/1` })).toBe(false);
  });

  it("proves nothing where the system tells no process from another, as macOS", () => {
    const own = { ...readProcessIdentity(), instance: "" };
    expect(isProvenDead(own, () => undefined)).toBe(false);
    expect(isProvenDead({ ...own, pid: 999_999_999 }, () => undefined)).toBe(false);
  });
});
