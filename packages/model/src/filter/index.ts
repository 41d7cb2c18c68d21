export { compileFilter, type FilterSubject } from "./compile.ts";
