import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Architecture, CodedError, parseHostArchitecture } from "@workspace/shared-config";

const run = promisify(execFile);

export const workspaceRoot = join(import.meta.dirname, "../../../..");

/** The workspace's own Bun, which compiles and bundles. */
export const bunPath = join(workspaceRoot, "node_modules/bun/bin/bun.exe");

interface BunPackage {
  readonly name: string;
  /** Of the version below, as the registry publishes it: `npm view NAME@VERSION dist.integrity`. */
  readonly integrity: `sha512-${string}`;
}

/** The version that the integrities belong to, and the only one that compiles. */
export const bunVersion = "1.4.4";

const packages: Readonly<Record<Architecture, BunPackage>> = {
  x86_64: {
    name: "@oven/bun-linux-x64",
    integrity:
      "sha512-CHbbkmHVM28T1GFq+6GL4Ao4ujwwYwj1CxFFwEFzLanPfNsId9AhbIP0Q4reWuWBkGimUkoQygrK7Rgjtj3vog==",
  },
  arm64: {
    name: "@oven/bun-linux-aarch64",
    integrity:
      "sha512-ZTVtpf9zmHSBVPX1sBwe5agGb/rN34yPGg/Hby8e2Ax2uCUA2URZKlZH7qLntK7qaFJCMXh9v0GWNYN2zINz1w==",
  },
};

/**
 * Fails where another version is installed: what it makes is not what is kept under the pinned one's.
 * @throws CodedError `E_BUN_UNPINNED`
 */
export async function verifyInstalledBun(): Promise<void> {
  const manifest = await readFile(join(workspaceRoot, "node_modules/bun/package.json"), "utf8");
  const { version } = JSON.parse(manifest);
  if (version === bunVersion) return;
  throw new CodedError({
    code: "E_BUN_UNPINNED",
    what: `the installed Bun is not the pinned one, ${bunVersion}`,
    value: version,
    remedy:
      "Run `npm ci`. To upgrade Bun, set `bunVersion` and both integrities in libs/lambda-runtime/src/compile/bun-executable.ts.",
  });
}

/**
 * The Bun executable of an architecture: the workspace's own where the machine is such a Linux, and else one from the
 * registry, which npm would not install here.
 *
 * @returns its absolute path
 * @throws CodedError `E_BUN_UNAVAILABLE`, `E_BUN_TAMPERED`, `E_ARCHITECTURE_UNSUPPORTED`
 */
export async function findBunExecutable(architecture: Architecture): Promise<string> {
  if (process.platform === "linux" && architecture === parseHostArchitecture(process.arch)) return bunPath;
  const directory = join(import.meta.dirname, "../../dist/bun", `${architecture}-${bunVersion}`);
  const executable = join(directory, "package/bin/bun");
  try {
    await access(executable);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    await download(packages[architecture], directory);
  }
  return executable;
}

async function download({ name, integrity }: BunPackage, directory: string): Promise<void> {
  await mkdir(join(directory, ".."), { recursive: true });
  const part = await mkdtemp(`${directory}.`);
  try {
    const file = join(part, await pack(`${name}@${bunVersion}`, part));
    verify(await readFile(file), integrity, `${name}@${bunVersion}`);
    await run("tar", ["-xzf", file, "-C", part]);
    await rm(file);
    await rename(part, directory);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    // Another build has put it there meanwhile.
    if (error instanceof Error && "code" in error && error.code === "ENOTEMPTY") return;
    throw error;
  }
}

/** @returns the name of the file that it has made */
async function pack(spec: string, directory: string): Promise<string> {
  try {
    const { stdout } = await run("npm", ["pack", spec, "--json", "--pack-destination", directory]);
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    return packed?.filename ?? "";
  } catch (cause) {
    throw new CodedError({
      code: "E_BUN_UNAVAILABLE",
      what: "Bun for the other architecture could not be taken from the npm registry",
      value: spec,
      remedy:
        "Check the network and npm's configuration; a build for this machine's own architecture needs neither.",
      cause,
    });
  }
}

function verify(bytes: Uint8Array, integrity: string, spec: string): void {
  const found = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (found === integrity) return;
  throw new CodedError({
    code: "E_BUN_TAMPERED",
    what: `${spec} is not what it was when it was pinned: ${integrity}`,
    value: found,
    remedy:
      "Do not use it. Compare with the registry's `dist.integrity`, and find out where the difference is made.",
  });
}
