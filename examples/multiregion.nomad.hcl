job "web" {
  multiregion {
    strategy {
      max_parallel = 1
      on_failure   = "fail_all"
    }

    region "us" {
      count = 2
    }

    region "eu" {
      count = 3
      meta {
        where = "eu"
      }
    }
  }

  group "web" {
    # Each region's own count.
    count = 0

    task "web" {
      driver = "raw_exec"
      config {
        command = "/bin/sleep"
        args    = ["infinity"]
      }
    }
  }
}
