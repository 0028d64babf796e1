import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { ServiceContext } from "../../service.ts";

/** A blob of the registry, as any client of ECR gets it. Not through a proxy, whatever the environment says. */
export async function downloadBlob(
  { call }: Pick<ServiceContext, "call">,
  repositoryName: string,
  layerDigest: string,
): Promise<IncomingMessage> {
  const input = { repositoryName, layerDigest };
  const { downloadUrl } = await call<{ downloadUrl: string }>("ecr", "GetDownloadUrlForLayer", input);
  const [response] = (await once(get(downloadUrl), "response")) as [IncomingMessage];
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`the registry answered ${response.statusCode} for ${layerDigest}`);
  }
  return response;
}
