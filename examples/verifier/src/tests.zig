//! The root of `zig test`: everything but `main`, which needs the version that `build.sh` writes.

test {
    _ = @import("base64.zig");
    _ = @import("check.zig");
    _ = @import("check_test.zig");
    _ = @import("comment.zig");
    _ = @import("companions.zig");
    _ = @import("file.zig");
    _ = @import("folder.zig");
    _ = @import("key.zig");
    _ = @import("lines.zig");
    _ = @import("options.zig");
    _ = @import("path.zig");
    _ = @import("report.zig");
    _ = @import("signature.zig");
    _ = @import("sums.zig");
}
