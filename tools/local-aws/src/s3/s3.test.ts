import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketEncryptionCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let s3: S3Client;
beforeAll(async () => {
  server = await startTestServer();
  s3 = new S3Client({ ...server.clientConfig, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "assets" }));
});
afterAll(() => server.stop());

const read = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "assets", Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

describe("objects", () => {
  it("are read as they were written, also after a restart", async () => {
    const Body = randomBytes(100_000);
    const Key = "a folder/ä+b.bin";
    const put = new PutObjectCommand({ Bucket: "assets", Key, Body, ContentType: "application/x-a" });
    const { ETag } = await s3.send(put);
    await server.restart();
    expect((await read(Key)).equals(Body)).toBe(true);
    expect(await s3.send(new HeadObjectCommand({ Bucket: "assets", Key }))).toMatchObject({
      ETag,
      ContentLength: 100_000,
      ContentType: "application/x-a",
    });
    await s3.send(new DeleteObjectCommand({ Bucket: "assets", Key }));
    await expect(read(Key)).rejects.toMatchObject({ name: "NoSuchKey" });
  });

  it("come in parts", async () => {
    const Key = "parts.bin";
    const parts = [randomBytes(5_242_880), randomBytes(1000)];
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: "assets", Key }));
    const Parts = [];
    for (const [index, Body] of parts.entries()) {
      const PartNumber = index + 1;
      const { ETag } = await s3.send(
        new UploadPartCommand({ Bucket: "assets", Key, UploadId, PartNumber, Body }),
      );
      Parts.push({ PartNumber, ETag });
    }
    await s3.send(
      new CompleteMultipartUploadCommand({ Bucket: "assets", Key, UploadId, MultipartUpload: { Parts } }),
    );
    expect((await read(Key)).equals(Buffer.concat(parts))).toBe(true);
    await expect(
      s3.send(new AbortMultipartUploadCommand({ Bucket: "assets", Key, UploadId })),
    ).rejects.toMatchObject({ name: "NoSuchUpload" });
  });

  it("are listed page by page", async () => {
    const names = ["list/a", "list/b", "list/c"];
    for (const Key of names) await s3.send(new PutObjectCommand({ Bucket: "assets", Key, Body: Key }));
    const listed: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: "assets", Prefix: "list/", MaxKeys: 2, ContinuationToken }),
      );
      listed.push(...(page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(listed).toEqual(names);
  });
});

describe("buckets", () => {
  it("say where they are, what was set, and what was not", async () => {
    const Bucket = "assets";
    expect(await (await fetch(`${server.endpoint}/${Bucket}?location`)).text()).toContain(
      "<LocationConstraint>eu-central-1</LocationConstraint>",
    );
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
    await expect(s3.send(new GetBucketEncryptionCommand({ Bucket }))).rejects.toMatchObject({
      name: "ServerSideEncryptionConfigurationNotFoundError",
    });
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
  });

  it("go only when they are empty", async () => {
    await s3.send(new CreateBucketCommand({ Bucket: "short-lived" }));
    await s3.send(new PutObjectCommand({ Bucket: "short-lived", Key: "a", Body: "a" }));
    const remove = () => s3.send(new DeleteBucketCommand({ Bucket: "short-lived" }));
    await expect(remove()).rejects.toMatchObject({ name: "BucketNotEmpty" });
    await s3.send(new DeleteObjectCommand({ Bucket: "short-lived", Key: "a" }));
    await remove();
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).not.toContain("short-lived");
    await expect(
      s3.send(new PutObjectCommand({ Bucket: "short-lived", Key: "a", Body: "a" })),
    ).rejects.toMatchObject({ name: "NoSuchBucket" });
  });

  it("are found by host name, too", async () => {
    await s3.send(new PutObjectCommand({ Bucket: "assets", Key: "by-host", Body: "found" }));
    const headers = { host: "assets.s3.eu-central-1.amazonaws.com" };
    const sent = request(`${server.endpoint}/by-host`, { headers }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    expect(await text(response)).toBe("found");
  });
});

it.each([
  ["acl", () => s3.send(new GetBucketAclCommand({ Bucket: "assets" }))],
  ["range", () => s3.send(new GetObjectCommand({ Bucket: "assets", Key: "a", Range: "bytes=0-1" }))],
  ["delimiter", () => s3.send(new ListObjectsV2Command({ Bucket: "assets", Delimiter: "/" }))],
  [
    "x-amz-copy-source",
    () => s3.send(new CopyObjectCommand({ Bucket: "assets", Key: "b", CopySource: "assets/a" })),
  ],
])("refuses %s by name", async (name, call) => {
  await expect(call()).rejects.toThrow(`s3 does not cover ${name}`);
});
