import { createRegistry } from "../registry/index.ts";
import type { Service, ServiceContext } from "../service.ts";
import { createImageOperations } from "./image-operations.ts";
import { openImages } from "./images.ts";
import { createPasswords } from "./passwords.ts";
import { createRepositoryOperations } from "./repository-operations.ts";

/** The ECR API, and the registry that works on the same images under `/v2/`. */
export function createService(context: ServiceContext): Service {
  const images = openImages(context);
  const passwords = createPasswords(context);
  return {
    routes: { "/v2/": createRegistry(images, passwords, context.log) },
    resume: images.deleteUnusedBlobs,
    operations: {
      ...createRepositoryOperations(context, images),
      ...createImageOperations(context, images, passwords),
      async GetAuthorizationToken() {
        const { password, expiresAt } = passwords.issue();
        return {
          authorizationData: [
            {
              authorizationToken: Buffer.from(`AWS:${password}`).toString("base64"),
              expiresAt: new Date(expiresAt),
              proxyEndpoint: context.endpoint,
            },
          ],
        };
      },
    },
  };
}
