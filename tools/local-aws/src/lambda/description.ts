import type { Version } from "./model.ts";

/** A version as the API answers it. @see https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html */
export function describeVersion({ runnable, ...version }: Version, FunctionArn: string): object {
  const { ImageConfig, ...configuration } = runnable.configuration;
  const { code } = runnable;
  const hasFailed = version.state === "Failed" || version.lastUpdateStatus === "Failed";
  return {
    ...configuration,
    ...(ImageConfig !== undefined && { ImageConfigResponse: { ImageConfig } }),
    FunctionArn,
    CodeSha256: code.sha256,
    CodeSize: code.kind === "image" ? 0 : code.sizeBytes,
    Version: version.version,
    RevisionId: version.revisionId,
    LastModified: new Date(version.lastModified).toISOString().replace("Z", "+0000"),
    State: version.state,
    ...(version.state !== "Active" && {
      StateReason: version.reason?.text,
      StateReasonCode: version.reason?.code,
    }),
    LastUpdateStatus: version.lastUpdateStatus,
    ...(version.state === "Active" &&
      (hasFailed || version.lastUpdateStatus === "InProgress") && {
        LastUpdateStatusReason: version.reason?.text,
        LastUpdateStatusReasonCode: version.reason?.code,
      }),
  };
}

/** Where the code of a version is. @see https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html */
export function describeCode({ runnable: { code } }: Version): object {
  if (code.kind === "zip") return { RepositoryType: "S3" };
  const repositoryUri = `${code.imageUri.split("/")[0]}/${code.repositoryName}`;
  return {
    RepositoryType: "ECR",
    ImageUri: code.imageUri,
    ResolvedImageUri: `${repositoryUri}@sha256:${code.sha256}`,
  };
}
