import type { IncomingMessage, ServerResponse } from "node:http";
import { XMLBuilder } from "fast-xml-parser";
import { readBody } from "../body.ts";
import { bucketSettings } from "../s3/index.ts";
import { ServiceException } from "../service.ts";

type Perform = (operation: string, input: object) => Promise<object>;

const builder = new XMLBuilder({ processEntities: true, ignoreAttributes: false });

/** S3 has a protocol of its own: the operation is in method, path and sub-resource. Path-style and virtual-host. */
export async function answerS3(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  perform: Perform,
): Promise<void> {
  try {
    refuseUncovered(request, url);
    const body = await readBody(request);
    const { Bucket, Key } = parseTarget(request, url);
    if (Bucket === "") {
      const { Buckets } = (await perform("ListBuckets", {})) as {
        Buckets: { Name: string; CreationDate: number }[];
      };
      const listed = Buckets.map(({ Name, CreationDate }) => ({
        Name,
        CreationDate: new Date(CreationDate).toISOString(),
      }));
      return writeXml(response, "ListAllMyBucketsResult", { Buckets: { Bucket: listed } });
    }
    if (Key === "") return await answerBucket(request, response, url, Bucket, body, perform);
    return await answerObject(request, response, url, { Bucket, Key }, body, perform);
  } catch (error) {
    if (!(error instanceof ServiceException)) throw error;
    const { name: Code, message: Message, members, httpStatus } = error;
    if (request.method === "HEAD") response.writeHead(httpStatus).end();
    else writeXml(response, "Error", { Code, Message, ...members }, httpStatus);
  }
}

/** What an answer depends on; anything else that is asked for is refused. */
const coveredQuery = [
  "list-type",
  "prefix",
  "max-keys",
  "continuation-token",
  "encoding-type",
  "location",
  "uploads",
  "uploadId",
  "partNumber",
  "x-id",
  ...bucketSettings,
];
const uncoveredHeaders = ["range", "x-amz-copy-source", "if-match", "if-none-match"];

function refuseUncovered(request: IncomingMessage, url: URL): void {
  const isSignature = (name: string) => name.toLowerCase().startsWith("x-amz-");
  const query = [...url.searchParams.keys()].filter(
    (name) => !coveredQuery.includes(name) && !isSignature(name),
  );
  const headers = uncoveredHeaders.filter((name) => request.headers[name] !== undefined);
  const [uncovered] = [...query, ...headers];
  if (uncovered !== undefined) {
    throw new ServiceException(
      "NotImplemented",
      `local-aws: s3 does not cover ${uncovered} in ${request.method} ${url.pathname}`,
      501,
    );
  }
}

function parseTarget(request: IncomingMessage, url: URL): { Bucket: string; Key: string } {
  const path = decodeURIComponent(url.pathname.slice(1));
  const virtual = /^(.+)\.(?:s3[.-].*|localhost)(?::\d+)?$/.exec(request.headers.host ?? "")?.[1];
  if (virtual !== undefined) return { Bucket: virtual, Key: path };
  const [Bucket = "", ...rest] = path.split("/");
  return { Bucket, Key: rest.join("/") };
}

const missingSettings: Readonly<Record<string, string>> = {
  encryption: "ServerSideEncryptionConfigurationNotFoundError",
  lifecycle: "NoSuchLifecycleConfiguration",
  policy: "NoSuchBucketPolicy",
  publicAccessBlock: "NoSuchPublicAccessBlockConfiguration",
  tagging: "NoSuchTagSet",
  ownershipControls: "OwnershipControlsNotFoundError",
};

async function answerBucket(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  Bucket: string,
  body: Buffer,
  perform: Perform,
): Promise<void> {
  const query = url.searchParams;
  const Setting = bucketSettings.find((setting) => query.has(setting));
  if (Setting !== undefined) {
    if (request.method === "PUT") {
      await perform("PutBucketSetting", { Bucket, Setting, Value: body.toString() });
      response.writeHead(200).end();
      return;
    }
    if (request.method === "DELETE") {
      await perform("DeleteBucketSetting", { Bucket, Setting });
      response.writeHead(204).end();
      return;
    }
    const { Value } = (await perform("GetBucketSetting", { Bucket, Setting })) as { Value?: string };
    const missing = missingSettings[Setting];
    if (Value === undefined && missing !== undefined)
      throw new ServiceException(missing, `No ${Setting} is set`, 404);
    response.writeHead(200, { "content-type": "application/xml" }).end(Value ?? "<VersioningConfiguration/>");
    return;
  }
  if (request.method === "GET" && query.has("location")) {
    const { LocationConstraint } = (await perform("GetBucketLocation", { Bucket })) as {
      LocationConstraint: string;
    };
    return writeXml(response, "LocationConstraint", LocationConstraint);
  }
  if (request.method === "GET" && query.get("list-type") === "2") {
    const input = {
      Bucket,
      Prefix: query.get("prefix") ?? "",
      MaxKeys: Number(query.get("max-keys") ?? 1000),
      ContinuationToken: query.get("continuation-token") ?? undefined,
    };
    const { Contents, ...listed } = (await perform("ListObjectsV2", input)) as {
      Contents: { LastModified: number }[];
    };
    const objects = Contents.map((object) => ({
      ...object,
      LastModified: new Date(object.LastModified).toISOString(),
    }));
    return writeXml(response, "ListBucketResult", { ...listed, Contents: objects });
  }
  const operation = { PUT: "CreateBucket", DELETE: "DeleteBucket", HEAD: "HeadBucket" }[request.method ?? ""];
  if (operation === undefined) throw unsupported(request, url);
  await perform(operation, { Bucket });
  response.writeHead(request.method === "DELETE" ? 204 : 200).end();
}

async function answerObject(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  target: { Bucket: string; Key: string },
  body: Buffer,
  perform: Perform,
): Promise<void> {
  const query = url.searchParams;
  const UploadId = query.get("uploadId");
  const ContentType = request.headers["content-type"];
  switch (request.method) {
    case "PUT": {
      const part = { ...target, UploadId, PartNumber: query.get("partNumber"), Body: body };
      const whole = { ...target, Body: body, ContentType };
      const { ETag } = (await (UploadId === null
        ? perform("PutObject", whole)
        : perform("UploadPart", part))) as { ETag: string };
      response.writeHead(200, { etag: ETag }).end();
      return;
    }
    case "POST": {
      if (query.has("uploads")) {
        const created = await perform("CreateMultipartUpload", { ...target, ContentType });
        return writeXml(response, "InitiateMultipartUploadResult", created);
      }
      if (UploadId === null) throw unsupported(request, url);
      const completed = await perform("CompleteMultipartUpload", { ...target, UploadId });
      return writeXml(response, "CompleteMultipartUploadResult", completed);
    }
    case "GET":
    case "HEAD": {
      const operation = request.method === "GET" ? "GetObject" : "HeadObject";
      const object = (await perform(operation, target)) as {
        ETag: string;
        Size: number;
        LastModified: number;
        ContentType?: string;
        Body?: Uint8Array;
      };
      response.writeHead(200, {
        etag: object.ETag,
        "content-length": object.Size,
        "last-modified": new Date(object.LastModified).toUTCString(),
        "content-type": object.ContentType ?? "binary/octet-stream",
      });
      response.end(object.Body);
      return;
    }
    case "DELETE":
      await (UploadId === null
        ? perform("DeleteObject", target)
        : perform("AbortMultipartUpload", { ...target, UploadId }));
      response.writeHead(204).end();
      return;
    default:
      throw unsupported(request, url);
  }
}

function unsupported(request: IncomingMessage, url: URL): ServiceException {
  return new ServiceException(
    "NotImplemented",
    `local-aws: s3 has no ${request.method} ${url.pathname}${url.search}`,
    501,
  );
}

function writeXml(response: ServerResponse, root: string, content: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/xml" });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>${builder.build({ [root]: content })}`);
}
