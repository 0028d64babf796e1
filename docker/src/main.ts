import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  CodedError,
  exitCodes,
  parseFunction,
  parseHostArchitecture,
  parseStage,
} from "@workspace/shared-config";
import { buildImageContext } from "./image-context.ts";

/** `--function NAME`: makes the build context of the stage, and prints it as JSON. */
const { values } = parseArgs({
  options: { function: { type: "string", default: "" }, stage: { type: "string", default: "" } },
});

try {
  const stage = parseStage(values.stage || process.env.STAGE || "local");
  const { project, architecture } = parseFunction(
    values.function,
    stage,
    parseHostArchitecture(process.arch),
  );
  const app = join(import.meta.dirname, "../../apps", project);
  const outDir = join(app, `dist/image-${architecture}`);
  const context = await buildImageContext({ appEntry: join(app, "src/handler.ts"), architecture, outDir });
  console.log(JSON.stringify(context));
} catch (error) {
  console.error(error instanceof CodedError ? error.message : error);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
