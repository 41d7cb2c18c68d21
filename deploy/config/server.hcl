# What all servers have in common; each container's own is in STEPPE_LOCAL_CONFIG of compose.yaml.
data_dir  = "/data"
bind_addr = "0.0.0.0"
server {
  enabled        = true
  num_schedulers = 0
}
tls {
  rpc       = true
  ca_file   = "/certs/ca.pem"
  cert_file = "/certs/cert.pem"
  key_file  = "/certs/key.pem"
}
nats {
  tls {
    ca_file   = "/certs/ca.pem"
    cert_file = "/certs/cert.pem"
    key_file  = "/certs/key.pem"
  }
}
