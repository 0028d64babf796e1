import { createHash } from "node:crypto";
import { type ServiceContext, ServiceException } from "../../service.ts";
import { invalidParameter } from "../errors.ts";
import type { Code, ImageCode, ZipCode } from "../model.ts";
import { resolveImage } from "./image.ts";
import { createRootfsCache } from "./image-rootfs.ts";
import { createArchiveCache } from "./zip-archive.ts";

/** What a request says of the code. */
export interface CodeInput {
  readonly ImageUri?: string;
  readonly S3Bucket?: string;
  readonly S3Key?: string;
  /** Base64. */
  readonly ZipFile?: string;
}

export type CodeCache = ReturnType<typeof createCodeCache>;

/** Code as it runs here: unpacked into folders. */
export function createCodeCache(context: ServiceContext) {
  const rootfs = createRootfsCache(context);
  const archives = createArchiveCache(context.store.directory);

  async function readArchive({ ZipFile, S3Bucket: Bucket, S3Key: Key }: CodeInput): Promise<Buffer> {
    if (ZipFile !== undefined) return Buffer.from(ZipFile, "base64");
    if (Bucket === undefined || Key === undefined) {
      throw invalidParameter("Please provide a source for function code.");
    }
    try {
      const { Body } = await context.call<{ Body: Uint8Array }>("s3", "GetObject", { Bucket, Key });
      return Buffer.from(Body.buffer, Body.byteOffset, Body.byteLength);
    } catch (error) {
      if (!(error instanceof ServiceException)) throw error;
      throw invalidParameter(
        `Error occurred while GetObject. S3 Error Code: ${error.name}. S3 Error Message: ${error.message}`,
      );
    }
  }

  async function resolveArchive(input: CodeInput): Promise<ZipCode> {
    const archive = await readArchive(input);
    const sha256 = createHash("sha256").update(archive).digest("base64");
    const code: ZipCode = { kind: "zip", sha256, sizeBytes: archive.length };
    await archives.unpack(code, archive);
    return code;
  }

  return {
    /** @throws ServiceException where there is no such code */
    async resolve(input: CodeInput, packageType: "Image" | "Zip"): Promise<Code> {
      if (packageType === "Zip") return resolveArchive(input);
      if (input.ImageUri === undefined) throw invalidParameter("Please provide a source image URI.");
      return resolveImage(context, input.ImageUri);
    },

    /** The folder that a process of the code runs in. */
    unpack: async (code: Code): Promise<string> =>
      code.kind === "image" ? rootfs.unpack(code) : archives.pathOf(code),

    deleteOthers(kept: readonly Code[]): void {
      rootfs.deleteOthers(kept.filter((code): code is ImageCode => code.kind === "image"));
      archives.deleteOthers(kept.filter((code): code is ZipCode => code.kind === "zip"));
    },
  };
}
