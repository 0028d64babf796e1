/**
 * Options of `docker build` that a caller may mean in earnest and that nothing here can honour: to ignore them would
 * build another image than was asked for. The CDK passes the first six.
 */
export const refusedBuildOptions: readonly (readonly [flags: string, why: string])[] = [
  ["--build-context <spec>", "there is one build context"],
  ["--secret <spec>", "secrets are for RUN"],
  ["--ssh <spec>", "SSH agents are for RUN"],
  ["--network <mode>", "networks are for RUN"],
  ["--cache-from <spec>", "the local store is the cache"],
  ["--cache-to <spec>", "the local store is the cache"],
  ["--output <spec>", "images go into the local store"],
];
