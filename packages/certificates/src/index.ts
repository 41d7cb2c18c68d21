export {
  type Authority,
  createAuthority,
  openAuthority,
  type SignedCertificate,
  type SignRequest,
} from "./authority.ts";
