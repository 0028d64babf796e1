import { GetParametersCommand } from "@aws-sdk/client-ssm";
import {
  CodedError,
  type FunctionOnStage,
  type ImageTag,
  initialTag,
  isImageTag,
} from "@workspace/shared-config";
import { explainReadFailure } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";
import { checkImage, type Digest, listImages, type StoredImage } from "../images/images.ts";
import { findConfiguration, findLiveConfiguration } from "../live/function-state.ts";
import { parseTagOf, readPublishedTag } from "./published-tag.ts";

/** What a stage has published, checked. */
export interface PublishedImage {
  readonly kind: "published";
  readonly tag: ImageTag;
  readonly digest: Digest;
}

/** What `deploy` puts into the template. */
export type Published =
  | PublishedImage
  /** Nothing was ever released: the parameter does not exist, and no function runs a released image. */
  | { readonly kind: "initial" };

/**
 * The published image, checked; or the proof that nothing was ever released.
 *
 * `initial` needs all of: SSM answers ParameterNotFound, in the stage's own region, and the function does not
 * exist or runs the placeholder. Any other failure to read is an error. What runs is what the alias `live` goes to:
 * a first release that was killed half way may have left its image in `$LATEST`, where no traffic goes.
 * @throws CodedError `E_TAG_READ_…`, `E_IMAGE_TAG_MALFORMED`, `E_TAG_VANISHED`, `E_REGION_UNEXPECTED`,
 * `E_PUBLISHED_IMAGE_MISSING`, `E_PUBLISHED_IMAGE_IS_INDEX`, `E_PUBLISHED_IMAGE_ARCHITECTURE`, `E_FUNCTION_READ_…`
 */
export async function resolvePublished(clients: HandoffClients, fn: FunctionOnStage): Promise<Published> {
  return (await findPublished(clients, fn)) ?? proveInitial(clients, fn);
}

/**
 * The published image, checked; undefined where no tag is there, which by itself proves nothing. For who may read
 * images and tags, but no function.
 * @throws CodedError `E_TAG_READ_…`, `E_IMAGE_TAG_MALFORMED`, `E_PUBLISHED_IMAGE_…`
 */
export async function findPublished(
  clients: HandoffClients,
  fn: FunctionOnStage,
): Promise<PublishedImage | undefined> {
  const tag = await readPublishedTag(clients, fn);
  return tag === undefined ? undefined : checkPublished(clients, fn, tag);
}

/** A tag that is not what runs is read this often, so long after each other, before it is believed. */
const tagReads = 5;
const rereadMs = 1_000;

/**
 * {@link resolvePublished} for who goes on from what it gives: SSM's reads may lag behind its writes, and a tag that was
 * published just now must not be missed. What runs tells: it was made live before its tag was published.
 */
export async function resolvePublishedSurely(
  clients: HandoffClients,
  fn: FunctionOnStage,
): Promise<Published> {
  for (let reads = 1; reads < tagReads; reads += 1) {
    try {
      const published = await resolvePublished(clients, fn);
      if (published.kind === "initial") return published;
      const running = await findRunningDigest(clients, fn);
      if (running === undefined || running === published.digest) return published;
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== "E_TAG_VANISHED") throw error;
    }
    await clients.clock.wait(rereadMs);
  }
  return resolvePublished(clients, fn);
}

/**
 * {@link resolvePublished} for many functions, in the order that they came in, with ten tags to a request.
 * @throws the first failure
 */
export async function resolveAllPublished(
  clients: HandoffClients,
  fns: readonly FunctionOnStage[],
): Promise<Published[]> {
  const tags = await readPublishedTags(clients, fns);
  return Promise.all(
    fns.map((fn) => {
      const tag = tags.get(fn.imageTagParameter);
      // GetParameters calls a name invalid for more than one reason; only GetParameter says that it is not there.
      return tag === undefined ? resolvePublished(clients, fn) : checkPublished(clients, fn, tag);
    }),
  );
}

const namesPerRequest = 10;

async function readPublishedTags(
  { ssm }: HandoffClients,
  fns: readonly FunctionOnStage[],
): Promise<ReadonlyMap<string, ImageTag>> {
  const names = fns.map(({ imageTagParameter }) => imageTagParameter);
  const groups = Array.from({ length: Math.ceil(names.length / namesPerRequest) }, (_, group) =>
    names.slice(group * namesPerRequest, (group + 1) * namesPerRequest),
  );
  try {
    const answers = await Promise.all(groups.map((Names) => ssm.send(new GetParametersCommand({ Names }))));
    const parameters = answers.flatMap(({ Parameters = [] }) => Parameters);
    return new Map(parameters.map(({ Name = "", Value = "" }) => [Name, parseTagOf(Name, Value)]));
  } catch (error) {
    throw explainReadFailure(error, "E_TAG_READ", `the published tags ${names.join(", ")}`);
  }
}

async function checkPublished(
  clients: HandoffClients,
  fn: FunctionOnStage,
  tag: ImageTag,
): Promise<PublishedImage> {
  try {
    const digest = await checkImage(clients, fn, tag, {
      codePrefix: "E_PUBLISHED_IMAGE",
      subject: "the published image",
      remedy: `Publish an image that exists: \`nx run ${fn.project}:release --stage ${fn.stage.name}\`, or \`nx run ${fn.project}:rollback --stage ${fn.stage.name} --to TAG\` with a tag that \`history\` shows.`,
      architectureRemedy: `Release first (\`nx run ${fn.project}:release --stage ${fn.stage.name}\`), or promote where the stage is promoted to: that changes the function's architecture along with its code. Then this again. Or change the architecture back.`,
    });
    return { kind: "published", tag, digest };
  } catch (error) {
    throw explainReadFailure(error, "E_PUBLISHED_IMAGE_READ", `the image ${fn.repositoryName}:${tag}`);
  }
}

async function proveInitial(clients: HandoffClients, fn: FunctionOnStage): Promise<Published> {
  await refuseOtherRegion(clients, fn);
  const running = await findRunningDigest(clients, fn);
  if (running === undefined) return { kind: "initial" };
  const images = await listImages(clients, fn);
  if (isPlaceholder(running, images)) return { kind: "initial" };

  const tag = images.find(({ digest }) => digest === running)?.tags.find(isImageTag);
  throw new CodedError({
    code: "E_TAG_VANISHED",
    what: `${fn.imageTagParameter} does not exist, but ${fn.functionName} runs a released image`,
    value: tag ?? running,
    remedy:
      tag === undefined
        ? `No tag of that image is left: release again with \`nx run ${fn.project}:release --stage ${fn.stage.name}\`.`
        : `Publish it again: \`nx run ${fn.project}:rollback --to ${tag} --stage ${fn.stage.name}\`.`,
  });
}

/** In another region there is neither parameter nor function, which would look like a first deploy. */
async function refuseOtherRegion({ ssm }: HandoffClients, fn: FunctionOnStage): Promise<void> {
  const region = await ssm.config.region();
  if (region === fn.stage.region) return;
  throw new CodedError({
    code: "E_REGION_UNEXPECTED",
    what: `nothing is published in this region, and stage ${fn.stage.name} is in ${fn.stage.region}`,
    value: region,
    remedy: "Unset AWS_REGION, or change the stage table in libs/shared-config if the stage is to move.",
  });
}

/** Of what is live, or of `$LATEST` where there is no alias; `undefined` where there is no function. */
async function findRunningDigest(clients: HandoffClients, fn: FunctionOnStage): Promise<Digest | undefined> {
  try {
    const running =
      (await findLiveConfiguration(clients, fn)) ?? (await findConfiguration(clients, fn, "$LATEST"));
    return running?.digest;
  } catch (error) {
    throw explainReadFailure(error, "E_FUNCTION_READ", `the function ${fn.functionName}`);
  }
}

/**
 * The placeholder is the image tagged `initial`; or one that was, before another placeholder took the tag: it has no
 * tag any more, and the repository has never held a release.
 */
function isPlaceholder(digest: Digest, images: readonly StoredImage[]): boolean {
  const image = images.find((candidate) => candidate.digest === digest);
  if (image === undefined) return false;
  if (image.tags.includes(initialTag)) return true;
  return image.tags.length === 0 && !images.some(({ tags }) => tags.some(isImageTag));
}
