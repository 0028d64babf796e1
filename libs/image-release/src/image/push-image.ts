import type { ImageContext } from "@workspace/docker";
import type { PushTarget } from "@workspace/handoff";
import type { CommandContext } from "../command-context.ts";
import { createContainerCli } from "../container-cli/container-cli.ts";
import { readRegistryLogin } from "../registry/registry-login.ts";

/** Builds the image and pushes it to where it is wanted. @throws CodedError `E_CONTAINER_CLI_…` */
export async function pushImage(
  { clients, containerCli, baseImage, onDetail, onProgress, signal }: CommandContext,
  { directory, platform }: ImageContext,
  target: PushTarget,
): Promise<void> {
  const cli = createContainerCli({
    executable: containerCli,
    onLine: onDetail,
    signal: AbortSignal.any([signal, target.signal]),
  });
  const step = (text: string) => onProgress({ kind: "step", text });
  const reference = target.imageUri;
  step(`${containerCli} builds the image for ${platform} on ${baseImage}`);
  await cli.build({ reference, directory, platform, buildArgs: { BASE_IMAGE: baseImage } });
  step(`${containerCli} pushes ${reference}`);
  const { endpoint, username, password } = await readRegistryLogin(clients);
  await cli.login({ host: new URL(endpoint).host, username, password });
  await cli.push(reference);
}
