//! What the check of each file needs to know.

const std = @import("std");
const folder = @import("folder.zig");
const PublicKey = @import("key.zig").PublicKey;
const Report = @import("report.zig").Report;

pub const Error = error{ OutOfMemory, WriteFailed };

pub const Context = struct {
    arena: std.mem.Allocator,
    io: std.Io,
    dir: std.Io.Dir,
    key: PublicKey,
    items: []const folder.Item,
    report: *Report,

    pub fn has(self: *const Context, path: []const u8) bool {
        const item = folder.find(self.items, path) orelse return false;
        return item.kind == .file;
    }
};
