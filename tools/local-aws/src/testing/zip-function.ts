import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { buildRuntimeScript } from "./runtime-script.ts";
import type { TestServer } from "./test-server.ts";

const bucket = "code";

/** Uploads a function's code. Gives it as a template has it. */
export async function uploadCode(
  server: TestServer,
  handler: string,
): Promise<{ S3Bucket: string; S3Key: string }> {
  const s3 = new S3Client(server.clientConfig);
  await s3.send(new CreateBucketCommand({ Bucket: bucket })).catch((error) => {
    if (error.name !== "BucketAlreadyOwnedByYou") throw error;
  });
  const script = Buffer.from(buildRuntimeScript(handler));
  const Body = zipSync({ bootstrap: [script, { os: 3, attrs: 0o755 << 16 }] });
  const Key = `${Buffer.from(handler).toString("base64url").slice(0, 64)}-${handler.length}.zip`;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  return { S3Bucket: bucket, S3Key: Key };
}

export function functionResource(name: string, Code: object, properties: object = {}): object {
  return {
    Type: "AWS::Lambda::Function",
    Properties: {
      FunctionName: name,
      Runtime: "provided.al2023",
      Handler: "bootstrap",
      Role: "arn:aws:iam::000000000000:role/any",
      Code,
      Timeout: 60,
      ...properties,
    },
  };
}
