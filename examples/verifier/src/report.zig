//! What is told: one line per file, and a count of what was right and what was not.

const std = @import("std");
const printable = @import("path.zig").printable;

pub const Report = struct {
    out: *std.Io.Writer,
    right: usize = 0,
    wrong: usize = 0,

    pub fn ok(self: *Report, path: []const u8, comptime format: []const u8, arguments: anytype) !void {
        self.right += 1;
        try self.out.print("ok  {f}  " ++ format ++ "\n", .{printable(path)} ++ arguments);
    }

    pub fn bad(self: *Report, path: []const u8, comptime format: []const u8, arguments: anytype) !void {
        self.wrong += 1;
        try self.out.print("BAD {f}  " ++ format ++ "\n", .{printable(path)} ++ arguments);
    }
};
