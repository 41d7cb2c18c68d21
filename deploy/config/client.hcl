# What all node agents have in common. raw_exec runs tasks as this container's user.
data_dir  = "/data"
bind_addr = "0.0.0.0"
client {
  enabled = true
  options {
    "driver.raw_exec.enable" = "true"
  }
}
tls {
  rpc       = true
  ca_file   = "/certs/ca.pem"
  cert_file = "/certs/cert.pem"
  key_file  = "/certs/key.pem"
}
