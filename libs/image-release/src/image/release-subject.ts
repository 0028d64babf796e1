import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildImageContext, type ImageContext } from "@workspace/docker";
import { buildImageTag, CodedError, type ImageTag } from "@workspace/shared-config";
import type { CommandContext } from "../command-context.ts";
import { readWorkingTree } from "../git/working-tree.ts";
import { type BaseImage, findBaseImage } from "./base-image.ts";
import { type ImageContent, identifyImageContent } from "./image-content.ts";

/** What a release of this checkout would be of. */
export interface ReleaseSubject extends ImageContent {
  readonly tag: ImageTag;
  /** The whole commit. */
  readonly commit: string;
  readonly context: ImageContext;
  /** `undefined` where the image stands on nothing. */
  readonly base: BaseImage | undefined;
}

/**
 * Makes the build context of the checkout, lets `use` work with it, and removes it.
 * @throws CodedError `E_TREE_DIRTY`, those of `readWorkingTree`, `buildImageContext` and `findBaseImage`
 */
export async function withReleaseSubject<T>(
  { fn, workspaceRoot, baseImage }: CommandContext,
  { allowDirty }: { readonly allowDirty: boolean },
  use: (subject: ReleaseSubject) => Promise<T>,
): Promise<T> {
  const { commit, uncommitted } = await readWorkingTree(workspaceRoot);
  if (uncommitted.length > 0 && !allowDirty) throw buildDirtyError(uncommitted);

  const app = join(workspaceRoot, "apps", fn.project);
  await mkdir(join(app, "dist"), { recursive: true });
  // A folder of its own: another command may build in the same checkout while this one waits for the lease.
  const outDir = await mkdtemp(join(app, "dist/release-"));
  try {
    const appEntry = join(app, "src/handler.ts");
    const context = await buildImageContext({ appEntry, architecture: fn.architecture, outDir });
    const { contentId: contextId, platform } = context;
    const base = findBaseImage(baseImage, await readFile(join(outDir, "Dockerfile"), "utf8"));
    const content = identifyImageContent({ contextId, platform, baseImage });
    const tag = buildImageTag({ commit, dirty: uncommitted.length > 0, contentId: content.contentId });
    return await use({ ...content, tag, commit, context, base });
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
}

function buildDirtyError(uncommitted: readonly string[]): CodedError {
  const shown = uncommitted.slice(0, 10);
  const more = uncommitted.length - shown.length;
  return new CodedError({
    code: "E_TREE_DIRTY",
    what: "the checkout has changes that are not committed, so no commit would say what is in the image",
    value: [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("\n"),
    remedy: "Commit or discard them; or release with --allow-dirty, and the tag says so.",
  });
}
