import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Architecture, CodedError } from "@workspace/shared-config";
import { runBun } from "./bun.ts";

export interface EngineBinary {
  readonly path: string;
  /** 64 hex digits. */
  readonly sha256: string;
}

const runtimeRoot = join(import.meta.dirname, "../../libs/lambda-runtime");
const targets: Readonly<Record<Architecture, string>> = { x86_64: "bun-linux-x64", arm64: "bun-linux-arm64" };

/** Compiles the runtime client, once for each state of its sources. */
export async function buildEngine(architecture: Architecture): Promise<EngineBinary> {
  const key = hashSources(architecture);
  const directory = join(import.meta.dirname, "../dist/engines", key);
  const binary = join(directory, "engine");
  const digestFile = join(directory, "sha256");
  if (!existsSync(digestFile)) {
    const part = `${directory}.${process.pid}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    await compile(architecture, join(part, "engine"));
    writeFileSync(
      join(part, "sha256"),
      createHash("sha256")
        .update(readFileSync(join(part, "engine")))
        .digest("hex"),
    );
    if (existsSync(digestFile)) rmSync(part, { recursive: true });
    else renameSync(part, directory);
  }
  return { path: binary, sha256: readFileSync(digestFile, "utf8") };
}

async function compile(architecture: Architecture, outfile: string): Promise<void> {
  const flags = ["--compile", "--minify", "--bytecode", "--format=cjs", `--target=${targets[architecture]}`];
  try {
    await runBun(["build", "src/main.ts", ...flags, `--outfile=${outfile}`], runtimeRoot);
  } catch (cause) {
    const remedy = "Read what the compiler says.";
    throw new CodedError({
      code: "E_ENGINE_FAILED",
      what: "the engine could not be compiled",
      value: architecture,
      remedy,
      cause,
    });
  }
}

function hashSources(architecture: Architecture): string {
  const hash = createHash("sha256").update(architecture);
  const source = join(runtimeRoot, "src");
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" }).sort()) {
    if (name.endsWith(".ts") && !name.endsWith(".test.ts"))
      hash.update(name).update(readFileSync(join(source, name)));
  }
  hash.update(readFileSync(join(import.meta.dirname, "../../node_modules/bun/package.json")));
  return hash.digest("hex").slice(0, 16);
}
