import { ServiceException } from "../service.ts";

/**
 * A filter of words: an event has all of them; `-word` must not be there, of `?word`s one must, `"two words"` are one.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 * @throws ServiceException for the patterns that look into JSON or columns
 */
export function parseFilterPattern(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  if (text === "") return () => true;
  if (/^[{[%]/.test(text)) {
    throw new ServiceException(
      "InvalidParameterException",
      `local-aws: logs has no filter ${pattern}, only words`,
    );
  }
  const terms = [...text.matchAll(/([-?]?)(?:"([^"]*)"|(\S+))/g)].map(([, sign = "", quoted, plain]) => ({
    sign,
    word: quoted ?? plain ?? "",
  }));
  const ofSign = (wanted: string) => terms.filter(({ sign }) => sign === wanted).map(({ word }) => word);
  const [all, none, some] = [ofSign(""), ofSign("-"), ofSign("?")];
  return (message) =>
    all.every((word) => message.includes(word)) &&
    !none.some((word) => message.includes(word)) &&
    (some.length === 0 || some.some((word) => message.includes(word)));
}
