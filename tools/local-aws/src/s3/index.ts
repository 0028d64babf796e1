import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { takePage } from "../paging.ts";
import { replaceFile } from "../replace-file.ts";
import { type Service, type ServiceContext, ServiceException } from "../service.ts";

interface StoredObject {
  readonly Key: string;
  readonly ETag: string;
  readonly Size: number;
  readonly LastModified: number;
  readonly ContentType?: string;
  readonly file: string;
}

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType?: string;
  /** File and ETag by part number. */
  readonly parts: Readonly<Record<string, { file: string; ETag: string }>>;
}

/** Sub-resources of a bucket that are kept as they come: they are read back, and change nothing here. */
export const bucketSettings = [
  "encryption",
  "versioning",
  "lifecycle",
  "publicAccessBlock",
  "policy",
  "tagging",
  "ownershipControls",
] as const;

/** Buckets and objects, as far as assets of the CDK go. */
export function createService({ store, now, region }: ServiceContext): Service {
  const files = join(store.directory, "objects");
  mkdirSync(files, { recursive: true });
  const objectKey = (bucket: string, key: string) => `object ${bucket} ${key}`;

  function mustHaveBucket(Bucket: string): void {
    if (store.get(`bucket ${Bucket}`) === undefined) {
      throw new ServiceException("NoSuchBucket", "The specified bucket does not exist", 404, {
        BucketName: Bucket,
      });
    }
  }

  function mustFind(Bucket: string, Key: string): StoredObject {
    mustHaveBucket(Bucket);
    const object = store.get<StoredObject>(objectKey(Bucket, Key));
    if (object === undefined)
      throw new ServiceException("NoSuchKey", "The specified key does not exist.", 404, { Key });
    return object;
  }

  function mustFindUpload(UploadId: string): Upload {
    const upload = store.get<Upload>(`upload ${UploadId}`);
    if (upload === undefined)
      throw new ServiceException("NoSuchUpload", "The specified upload does not exist.", 404);
    return upload;
  }

  function writeFile(content: Uint8Array): { file: string; ETag: string } {
    const file = randomUUID();
    replaceFile(join(files, file), content);
    return { file, ETag: `"${createHash("md5").update(content).digest("hex")}"` };
  }

  function putObject(
    Bucket: string,
    Key: string,
    content: Uint8Array,
    ContentType?: string,
  ): { ETag: string } {
    const previous = store.get<StoredObject>(objectKey(Bucket, Key));
    const { file, ETag } = writeFile(content);
    const object: StoredObject = { Key, ETag, Size: content.length, LastModified: now(), ContentType, file };
    store.put(objectKey(Bucket, Key), object);
    if (previous !== undefined) rmSync(join(files, previous.file), { force: true });
    return { ETag };
  }

  return {
    operations: {
      async CreateBucket({ Bucket }) {
        if (store.get(`bucket ${Bucket}`) !== undefined) {
          throw new ServiceException("BucketAlreadyOwnedByYou", "The bucket exists and is yours.", 409);
        }
        store.put(`bucket ${Bucket}`, { Name: Bucket, CreationDate: now() });
        return { Location: `/${Bucket}` };
      },
      async DeleteBucket({ Bucket }) {
        mustHaveBucket(Bucket);
        if (store.keys(`object ${Bucket} `).length > 0) {
          throw new ServiceException("BucketNotEmpty", "The bucket you tried to delete is not empty", 409);
        }
        for (const key of store.keys(`setting ${Bucket} `)) store.delete(key);
        store.delete(`bucket ${Bucket}`);
        return {};
      },
      async HeadBucket({ Bucket }) {
        mustHaveBucket(Bucket);
        return {};
      },
      async ListBuckets() {
        return { Buckets: store.keys("bucket ").map((key) => store.get(key)) };
      },
      async GetBucketLocation({ Bucket }) {
        mustHaveBucket(Bucket);
        return { LocationConstraint: region === "us-east-1" ? "" : region };
      },
      async PutBucketSetting({ Bucket, Setting, Value }) {
        mustHaveBucket(Bucket);
        store.put(`setting ${Bucket} ${Setting}`, Value);
        return {};
      },
      async GetBucketSetting({ Bucket, Setting }) {
        mustHaveBucket(Bucket);
        return { Value: store.get<string>(`setting ${Bucket} ${Setting}`) };
      },
      async DeleteBucketSetting({ Bucket, Setting }) {
        store.delete(`setting ${Bucket} ${Setting}`);
        return {};
      },
      async PutObject({ Bucket, Key, Body, ContentType }) {
        mustHaveBucket(Bucket);
        return putObject(Bucket, Key, Body, ContentType);
      },
      async GetObject({ Bucket, Key }) {
        const { file, ...object } = mustFind(Bucket, Key);
        return { ...object, Body: new Uint8Array(readFileSync(join(files, file))) };
      },
      async HeadObject({ Bucket, Key }) {
        const { file: _file, ...object } = mustFind(Bucket, Key);
        return object;
      },
      async DeleteObject({ Bucket, Key }) {
        const object = store.get<StoredObject>(objectKey(Bucket, Key));
        store.delete(objectKey(Bucket, Key));
        if (object !== undefined) rmSync(join(files, object.file), { force: true });
        return {};
      },
      async ListObjectsV2({ Bucket, Prefix = "", MaxKeys = 1000, ContinuationToken }) {
        mustHaveBucket(Bucket);
        const page = takePage(store.keys(objectKey(Bucket, Prefix)), MaxKeys, ContinuationToken);
        const Contents = page.items.map((key) => {
          const { file: _file, ...object } = store.get<StoredObject>(key) as StoredObject;
          return object;
        });
        return {
          Name: Bucket,
          Prefix,
          KeyCount: Contents.length,
          MaxKeys,
          IsTruncated: page.nextToken !== undefined,
          ...(page.nextToken !== undefined && { NextContinuationToken: page.nextToken }),
          Contents,
        };
      },
      async CreateMultipartUpload({ Bucket, Key, ContentType }) {
        mustHaveBucket(Bucket);
        const UploadId = randomUUID();
        store.put(`upload ${UploadId}`, { Bucket, Key, ContentType, parts: {} });
        return { Bucket, Key, UploadId };
      },
      async UploadPart({ UploadId, PartNumber, Body }) {
        const part = writeFile(Body);
        const upload = mustFindUpload(UploadId);
        store.put(`upload ${UploadId}`, { ...upload, parts: { ...upload.parts, [PartNumber]: part } });
        return { ETag: part.ETag };
      },
      async CompleteMultipartUpload({ Bucket, Key, UploadId }) {
        const { parts, ContentType } = mustFindUpload(UploadId);
        const ordered = Object.entries(parts).sort(([a], [b]) => Number(a) - Number(b));
        const content = Buffer.concat(ordered.map(([, { file }]) => readFileSync(join(files, file))));
        const { ETag } = putObject(Bucket, Key, content, ContentType);
        for (const [, { file }] of ordered) rmSync(join(files, file), { force: true });
        store.delete(`upload ${UploadId}`);
        return { Bucket, Key, ETag, Location: `/${Bucket}/${Key}` };
      },
      async AbortMultipartUpload({ UploadId }) {
        for (const { file } of Object.values(mustFindUpload(UploadId).parts))
          rmSync(join(files, file), { force: true });
        store.delete(`upload ${UploadId}`);
        return {};
      },
    },
  };
}
