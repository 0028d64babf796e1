import { homedir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CodedError, exitCodes } from "@workspace/shared-config";
import { buildProgram } from "./program.ts";
import { createLineProgress, createTerminalProgress, type Progress } from "./progress/progress.ts";
import { createRegistries } from "./registry/registries.ts";
import { openStore } from "./store/store.ts";

const { DOCKER_CONFIG, OCI_BUILD_STORE, SOURCE_DATE_EPOCH, XDG_CACHE_HOME } = process.env;

function findStoreDirectory(): string {
  return OCI_BUILD_STORE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "oci-build");
}

async function openProgress(): Promise<Progress> {
  const write = (line: string) => void process.stderr.write(`${line}\n`);
  if (!process.stderr.isTTY) return createLineProgress(write);
  const { default: ora } = await import("ora");
  return createTerminalProgress(ora({ stream: process.stderr, discardStdin: false }), write);
}

const program = buildProgram({
  dockerConfigDirectory: DOCKER_CONFIG || join(homedir(), ".docker"),
  hostArchitecture: process.arch,
  ...(SOURCE_DATE_EPOCH !== undefined && { sourceDateEpoch: SOURCE_DATE_EPOCH }),
  environment: process.env,
  async openContext({ dockerConfigDirectory }) {
    const progress = await openProgress();
    return {
      store: openStore(findStoreDirectory()),
      registries: createRegistries({ dockerConfigDirectory, onRetry: progress.line }),
      progress,
      print: (line) => console.log(line),
    };
  },
  readInput: () => text(process.stdin),
});

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof CodedError ? error.message : error);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
