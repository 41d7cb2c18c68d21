export { checkExactlyOnce, describeFaults, type EffectFaults, type MarkedWrite } from "./checkers/exactly-once.ts";
export { formatHistory, type Operation, parseHistory } from "./checkers/history.ts";
export { type JobCall, type JobRegister, type JobResult, jobRegister } from "./checkers/job-register.ts";
export { checkLinearizable, type Model, type Verdict } from "./checkers/linearizable.ts";
