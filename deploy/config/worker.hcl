# What all workers have in common.
nats {
  tls {
    ca_file   = "/certs/ca.pem"
    cert_file = "/certs/cert.pem"
    key_file  = "/certs/key.pem"
  }
}
