import type { ServiceContext } from "../service.ts";
import { invalid } from "./template.ts";

/** Where a call says that its template is. */
export interface TemplateSource {
  readonly TemplateBody?: string;
  readonly TemplateURL?: string;
  readonly UsePreviousTemplate?: string;
}

export async function readTemplate(
  { call }: ServiceContext,
  { TemplateBody, TemplateURL, UsePreviousTemplate }: TemplateSource,
  previous: string | undefined,
): Promise<string> {
  if (TemplateBody !== undefined) return TemplateBody;
  if (UsePreviousTemplate === "true" && previous !== undefined) return previous;
  if (TemplateURL === undefined) throw invalid("Either Template URL or Template Body must be specified.");
  const { Body } = await call<{ Body: Uint8Array }>("s3", "GetObject", parseObjectUrl(TemplateURL));
  return Buffer.from(Body).toString();
}

/** `https://bucket.s3.eu-central-1.amazonaws.com/key`, or with the bucket in the path. */
function parseObjectUrl(text: string): { Bucket: string; Key: string } {
  const url = new URL(text);
  const path = decodeURIComponent(url.pathname.slice(1));
  const virtual = /^(.+?)\.s3[.-]/.exec(url.host)?.[1];
  if (virtual !== undefined) return { Bucket: virtual, Key: path };
  const [Bucket = "", ...rest] = path.split("/");
  return { Bucket, Key: rest.join("/") };
}
