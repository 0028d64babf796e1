import { openDockerConfig } from "./docker-config.ts";
import { createRegistryClient, type RegistryClient } from "./registry-client.ts";

/** The client of each registry, by host; each keeps its authorization. */
export type Registries = (host: string) => RegistryClient;

export interface RegistriesProps {
  /** The folder of docker's config.json. */
  readonly dockerConfigDirectory: string;
  readonly onRetry: (text: string) => void;
}

export function createRegistries({ dockerConfigDirectory, onRetry }: RegistriesProps): Registries {
  const config = openDockerConfig(dockerConfigDirectory);
  const clients = new Map<string, RegistryClient>();
  return (host) => {
    const client =
      clients.get(host) ??
      createRegistryClient({ host, findCredentials: () => config.findCredentials(host), onRetry });
    clients.set(host, client);
    return client;
  };
}
