# Every block and option of a job file, so that one that is forgotten fails the test beside this file.
variable "image" {
  description = "what to run"
  type        = string
  default     = "redis:7"
  validation {
    condition     = length(var.image) > 3
    error_message = "An image has more than three characters."
  }
}

variable "ports" {
  type = list(object({ name = string, static = optional(number), to = optional(number, 80) }))
  default = [{ name = "http", static = 8080 }, { name = "rpc", to = 9000 }]
}

variable "replicas" {
  type = number
}

locals {
  full  = "${local.short}-service"
  short = upper("web")
  tags  = { for name in ["a", "b"] : name => "tag-${name}" }
}

job "everything" {
  region          = "eu"
  namespace       = "prod"
  type            = "service"
  priority        = 60
  all_at_once     = true
  datacenters     = ["dc1", "dc2"]
  node_pool       = "gpu"
  vault_namespace = "vns"

  meta {
    owner = "team-a"
    full  = local.full
  }

  ui {
    description = "A **job**"
    link {
      label = "Docs"
      url   = "https://example.com"
    }
  }

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }
  constraint {
    attribute = "${attr.driver.docker.version}"
    version   = ">= 20"
  }
  constraint {
    distinct_hosts = true
  }
  constraint {
    distinct_property = "${meta.rack}"
    value             = "2"
  }
  affinity {
    attribute        = "${node.datacenter}"
    set_contains_any = "dc1,dc2"
    weight           = -30
  }
  spread {
    attribute = "${node.datacenter}"
    weight    = 80
    target "dc1" {
      percent = 60
    }
    target "dc2" {
      percent = 40
    }
  }

  update {
    stagger           = "30s"
    max_parallel      = 2
    health_check      = "checks"
    min_healthy_time  = "10s"
    healthy_deadline  = "5m"
    progress_deadline = "10m"
    canary            = 1
    auto_revert       = true
    auto_promote      = true
  }
  migrate {
    max_parallel     = 1
    health_check     = "checks"
    min_healthy_time = "10s"
    healthy_deadline = "5m"
  }
  reschedule {
    attempts       = 3
    interval       = "1h"
    delay          = "30s"
    delay_function = "fibonacci"
    max_delay      = "10m"
    unlimited      = false
  }
  periodic {
    crons            = ["@daily", "0 12 * * *"]
    prohibit_overlap = true
    time_zone        = "Europe/Berlin"
    enabled          = false
  }
  parameterized {
    payload       = "required"
    meta_required = ["file"]
    meta_optional = ["mode"]
  }
  multiregion {
    strategy {
      max_parallel = 1
      on_failure   = "fail_all"
    }
    region "eu" {
      count       = 2
      datacenters = ["dc1"]
      node_pool   = "gpu"
      meta {
        near = "yes"
      }
    }
  }

  group "web" {
    count                        = var.replicas
    shutdown_delay               = "6s"
    max_run_duration             = "1h"
    stop_after_client_disconnect = "2h"
    max_client_disconnect        = "3h"
    prevent_reschedule_on_lost   = true
    meta = local.tags

    restart {
      attempts         = 3
      interval         = "10m"
      delay            = "25s"
      mode             = "delay"
      render_templates = true
    }
    disconnect {
      lost_after           = "6h"
      stop_on_client_after = "1h"
      replace              = false
      reconcile            = "keep_original"
    }
    ephemeral_disk {
      sticky  = true
      migrate = true
      size    = 500
    }
    network {
      mode     = "bridge"
      hostname = "web-${NOMAD_ALLOC_INDEX}"
      dynamic "port" {
        for_each = var.ports
        iterator = p
        labels   = [p.value.name]
        content {
          static       = p.value.static
          to           = p.value.to
          host_network = "public"
        }
      }
      port "raw" {
        ignore_collision = true
        static           = 53
      }
      dns {
        servers  = ["1.1.1.1"]
        searches = ["internal"]
        options  = ["ndots:2"]
      }
      cni {
        args = { key = "value" }
      }
    }
    scaling "horizontal" {
      enabled = true
      min     = 1
      max     = 10
      policy {
        cooldown = "1m"
        check "cpu" {
          source = "nomad-apm"
          strategy "target-value" {
            target = 70
          }
        }
      }
    }
    consul {
      namespace = "cns"
      cluster   = "default"
      partition = "part"
    }
    vault {
      role = "group-role"
    }
    volume "data" {
      type            = "csi"
      source          = "data-vol"
      read_only       = true
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
      per_alloc       = true
      sticky          = true
      mount_options {
        fs_type     = "ext4"
        mount_flags = ["noatime"]
      }
    }
    service {
      name                = local.full
      port                = "http"
      provider            = "consul"
      tags                = values(local.tags)
      canary_tags         = ["canary"]
      address_mode        = "alloc"
      address             = "10.0.0.1"
      enable_tag_override = true
      on_update           = "ignore"
      task                = "server"
      cluster             = "default"
      kind                = "api"
      meta = {
        version = "1"
      }
      canary_meta {
        version = "2"
      }
      tagged_addresses {
        lan = "10.0.0.1"
      }
      weights {
        passing = 3
        warning = 1
      }
      identity {
        aud = ["consul.io"]
        ttl = "1h"
      }
      check {
        name                     = "alive"
        type                     = "http"
        path                     = "/health"
        protocol                 = "https"
        port                     = "http"
        method                   = "POST"
        body                     = "{}"
        interval                 = "10s"
        timeout                  = "2s"
        initial_status           = "passing"
        notes                    = "is it alive?"
        expose                   = true
        address_mode             = "alloc"
        advertise                = "1.2.3.4"
        tls_server_name          = "example.com"
        tls_skip_verify          = true
        grpc_service             = "health"
        grpc_use_tls             = true
        command                  = "/bin/check"
        args                     = ["-v"]
        task                     = "server"
        on_update                = "ignore_warnings"
        success_before_passing   = 2
        failures_before_critical = 3
        failures_before_warning  = 1
        header {
          Authorization = ["Basic x"]
        }
        check_restart {
          limit           = 3
          grace           = "90s"
          ignore_warnings = true
        }
      }
      check_restart {
        limit = 5
      }
      connect {
        native = true
        sidecar_service {
          tags                      = ["mesh"]
          port                      = "mesh"
          disable_default_tcp_check = true
          meta {
            a = "b"
          }
          proxy {
            local_service_address = "127.0.0.1"
            local_service_port    = 9090
            config {
              protocol = "http"
            }
            upstreams {
              destination_name        = "db"
              destination_namespace   = "ns"
              destination_peer        = "peer"
              destination_partition   = "part"
              destination_type        = "service"
              local_bind_port         = 5432
              local_bind_address      = "127.0.0.1"
              local_bind_socket_path  = "/tmp/db.sock"
              local_bind_socket_mode  = "0600"
              datacenter              = "dc2"
              mesh_gateway {
                mode = "local"
              }
              config {
                timeout = 5
              }
            }
            expose {
              path {
                path            = "/metrics"
                protocol        = "http"
                local_path_port = 9102
                listener_port   = "metrics"
              }
            }
            transparent_proxy {
              uid                    = "101"
              outbound_port          = 15001
              exclude_inbound_ports  = ["ssh"]
              exclude_outbound_ports = [22]
              exclude_outbound_cidrs = ["10.0.0.0/8"]
              exclude_uids           = ["0"]
              no_dns                 = true
            }
          }
        }
        sidecar_task {
          name           = "proxy"
          driver         = "docker"
          user           = "envoy"
          kill_timeout   = "7s"
          shutdown_delay = "1s"
          kill_signal    = "SIGTERM"
          config {
            image = "envoy"
          }
          env {
            A = "1"
          }
          meta {
            b = "2"
          }
          resources {
            cpu = 50
          }
          logs {
            max_files = 2
          }
          volume_mount {
            volume      = "data"
            destination = "/data"
          }
          identity {
            name = "side"
          }
        }
      }
    }
    service {
      name = "gateway"
      connect {
        gateway {
          proxy {
            connect_timeout                     = "3s"
            envoy_gateway_bind_tagged_addresses = true
            envoy_gateway_no_default_bind       = true
            envoy_dns_discovery_type            = "STRICT_DNS"
            envoy_gateway_bind_addresses "x" {
              address = "10.0.0.2"
              port    = 7000
            }
            config {
              a = 1
            }
          }
          ingress {
            tls {
              enabled         = true
              tls_min_version = "TLSv1_2"
              tls_max_version = "TLSv1_3"
              cipher_suites   = ["X"]
              sds {
                cluster_name  = "sds"
                cert_resource = "cert"
              }
            }
            listener {
              port     = 8080
              protocol = "http"
              service {
                name                    = "web"
                hosts                   = ["web.example.com"]
                max_connections         = 10
                max_pending_requests    = 5
                max_concurrent_requests = 3
                tls {
                  enabled = true
                }
                request_headers {
                  add = { a = "1" }
                  set {
                    b = "2"
                  }
                  remove = ["c"]
                }
                response_headers {
                  remove = ["d"]
                }
              }
            }
          }
          terminating {
            service {
              name      = "legacy"
              ca_file   = "ca"
              cert_file = "cert"
              key_file  = "key"
              sni       = "legacy"
            }
          }
          mesh {}
        }
      }
    }

    task "server" {
      driver         = "docker"
      user           = "nobody"
      leader         = true
      kill_timeout   = "20s"
      kill_signal    = "SIGINT"
      shutdown_delay = "3s"
      kind           = "k"

      config {
        image = var.image
        ports = ["http"]
        args = [
          "-addr", "${NOMAD_ADDR_http}",
          "-node", "${node.unique.name}",
          "-tag=${attr.unique.network.ip-address}:${meta["x y"]}",
          "$${not.interpolated}",
        ]
        mount {
          type   = "bind"
          target = "/x"
        }
        mount {
          type   = "tmpfs"
          target = "/y"
        }
        nested "label" {
          deep = true
        }
      }
      env {
        PATH_LIKE = "a:b"
        COUNT     = 3
        WORDS     = join(",", [for w in split(" ", "x y z") : upper(w)])
      }
      meta {
        level = 9
      }
      lifecycle {
        hook    = "prestart"
        sidecar = true
      }
      resources {
        cpu        = 500
        cores      = 2
        memory     = 256
        memory_max = 512
        disk       = 100
        iops       = 10
        secrets    = 1
        network {
          mbits = 10
          port "admin" {}
        }
        device "nvidia/gpu" {
          count = 2
          constraint {
            attribute = "${device.attr.memory}"
            operator  = ">="
            value     = "4 GiB"
          }
          affinity {
            attribute = "${device.attr.memory}"
            operator  = ">="
            value     = "8 GiB"
            weight    = 75
          }
        }
        numa {
          affinity = "require"
          devices  = ["nvidia/gpu"]
        }
      }
      restart {
        attempts = 1
      }
      logs {
        max_files     = 3
        max_file_size = 15
        disabled      = true
        enabled       = false
      }
      artifact {
        source      = "https://example.com/${NOMAD_META_level}.tgz"
        destination = "local/app"
        mode        = "file"
        insecure    = true
        chown       = true
        options {
          checksum = "md5:0"
        }
        headers {
          X-Token = "t"
        }
      }
      template {
        data = <<-EOT
          listen {{ env "NOMAD_PORT_http" }}
            ${local.short} and ${NOMAD_TASK_DIR}
        EOT
        source               = "tpl"
        destination          = "local/conf"
        change_mode          = "script"
        change_signal        = "SIGUSR1"
        once                 = true
        splay                = "7s"
        perms                = "0600"
        uid                  = 1000
        gid                  = 1001
        left_delimiter       = "[["
        right_delimiter      = "]]"
        env                  = true
        vault_grace          = "15s"
        error_on_missing_key = true
        change_script {
          command             = "/bin/reload"
          args                = ["now"]
          timeout             = "4s"
          fail_on_error       = true
          run_on_first_render = true
        }
        wait {
          min = "5s"
          max = "10s"
        }
      }
      vault {
        policies               = ["p"]
        role                   = "task-role"
        namespace              = "ns"
        cluster                = "default"
        env                    = false
        disable_file           = true
        change_mode            = "signal"
        change_signal          = "SIGHUP"
        allow_token_expiration = true
      }
      consul {
        cluster = "other"
      }
      identity {
        env  = true
        file = true
      }
      identity {
        name          = "aws"
        aud           = ["aws"]
        change_mode   = "restart"
        change_signal = "SIGHUP"
        filepath      = "local/aws.jwt"
        service_name  = "svc"
        ttl           = "2h"
        extra_claims  = ["c"]
      }
      constraint {
        attribute = "${attr.cpu.arch}"
        regexp    = "amd64|arm64"
      }
      constraint {
        attribute = "${attr.os.version}"
        semver    = ">= 1.0.0"
      }
      constraint {
        attribute    = "${attr.cpu.features}"
        set_contains = "avx"
      }
      affinity {
        attribute        = "${attr.cpu.features}"
        set_contains_all = "avx,sse"
      }
      dispatch_payload {
        file = "input.json"
      }
      volume_mount {
        volume           = "data"
        destination      = "/data"
        read_only        = true
        propagation_mode = "private"
        selinux_label    = "Z"
      }
      csi_plugin {
        id                     = "ebs"
        type                   = "node"
        mount_dir              = "/csi"
        stage_publish_base_dir = "/local/csi"
        health_timeout         = "40s"
      }
      scaling "cpu" {
        enabled = true
        min     = 100
        max     = 1000
      }
      action "ls" {
        command = "/bin/ls"
        args    = ["-l"]
      }
      secret "db" {
        provider = "vault"
        path     = "kv/db"
        config {
          engine = "kv_v2"
        }
        env {
          X = "y"
        }
      }
      schedule {
        cron {
          start    = "0 30 9 * * *"
          end      = "0 17"
          timezone = "UTC"
        }
      }
      service {
        port     = "admin"
        provider = "nomad"
      }
    }
  }

  task "alone" {
    driver = "raw_exec"
    config {
      command = "true"
    }
  }
}
