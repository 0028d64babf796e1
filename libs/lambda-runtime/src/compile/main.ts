import { CodedError, exitCodes, parseHostArchitecture } from "@workspace/shared-config";
import { compileEngine } from "./compile-engine.ts";

/** Compiles the engine for the machine that it runs on, and prints where it is. */
try {
  console.log(JSON.stringify(await compileEngine(parseHostArchitecture(process.arch))));
} catch (error) {
  console.error(error instanceof CodedError ? error.message : error);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
