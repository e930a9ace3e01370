"""Words to bytes: mail and page templates, and the compiler that turns an edition into a plan."""
