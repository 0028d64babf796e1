export { stopServer } from "./attachment.ts";
