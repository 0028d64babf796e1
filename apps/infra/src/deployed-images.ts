import { join } from "node:path";
import { buildImageContext, initialAppEntry } from "@workspace/docker";
import type { Published } from "@workspace/handoff";
import type { FunctionOnStage } from "@workspace/shared-config";
import type { DeployedImage } from "./function-stack.ts";
import type { Surroundings } from "./surroundings.ts";

/** A function, and what was read as published for it. */
export interface ResolvedFunction {
  readonly fn: FunctionOnStage;
  readonly published: Published;
}

/**
 * What each template names. The placeholder's build context is made only where one names it, and once for each
 * architecture.
 * @param directory where the build contexts go
 */
export function prepareImages(
  { baseImage }: Surroundings,
  functions: readonly ResolvedFunction[],
  directory: string,
): Promise<{ readonly fn: FunctionOnStage; readonly image: DeployedImage }[]> {
  const contexts = new Map<string, Promise<string>>();
  const makeContext = async ({ architecture }: FunctionOnStage) => {
    const outDir = join(directory, `initial-${architecture}`);
    return (await buildImageContext({ appEntry: initialAppEntry, architecture, outDir })).directory;
  };
  return Promise.all(
    functions.map(async ({ fn, published }) => {
      if (published.kind === "published") {
        return { fn, image: { kind: "published" as const, tag: published.tag } };
      }
      const context = contexts.get(fn.architecture) ?? makeContext(fn);
      contexts.set(fn.architecture, context);
      return { fn, image: { kind: "initial" as const, contextDirectory: await context, baseImage } };
    }),
  );
}
