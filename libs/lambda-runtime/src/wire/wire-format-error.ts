/** The server sent something that is not HTTP/1.1. The connection that it came over is of no further use. */
export class WireFormatError extends Error {
  override readonly name = "WireFormatError";
}
