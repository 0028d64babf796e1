import type { ImageContext } from "@workspace/docker";
import type { HandoffClients, PushTarget } from "@workspace/handoff";
import type { CommandContext } from "../command-context.ts";
import { type ContainerCli, createContainerCli } from "../container-cli/container-cli.ts";
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
  const ended = await Promise.allSettled([
    cli.build({ reference, directory, platform, buildArgs: { BASE_IMAGE: baseImage } }),
    logIn(cli, clients),
  ]);
  // Only now, so that neither runs on behind a failure of the other.
  for (const one of ended) if (one.status === "rejected") throw one.reason;
  step(`${containerCli} pushes ${reference}`);
  await cli.push(reference);
}

async function logIn(cli: ContainerCli, clients: HandoffClients): Promise<void> {
  const { endpoint, username, password } = await readRegistryLogin(clients);
  await cli.login({ host: new URL(endpoint).host, username, password });
}
