//! What lies in a release's folder.

const std = @import("std");
const Io = std.Io;

pub const Item = struct {
    /// Relative to the folder, `/` between segments; any bytes.
    path: []const u8,
    kind: enum { file, other },
};

pub const max_items = 16 * 1024;
pub const max_depth = 8;

pub const Error = error{ OutOfMemory, TooManyItems, TooDeep } || Io.Dir.OpenError || Io.Dir.Iterator.Error ||
    Io.Dir.StatFileError;

/// Every item below `dir` that is not a folder, ordered by path. Symbolic links are not followed: they are `other`, like
/// everything that is not a regular file.
pub fn list(arena: std.mem.Allocator, io: Io, dir: Io.Dir) Error![]const Item {
    var items: std.ArrayList(Item) = .empty;
    try collect(arena, io, dir, "", 1, &items);
    std.mem.sort(Item, items.items, {}, lessThan);
    return items.items;
}

fn collect(
    arena: std.mem.Allocator,
    io: Io,
    dir: Io.Dir,
    prefix: []const u8,
    depth: usize,
    items: *std.ArrayList(Item),
) Error!void {
    if (depth > max_depth) return error.TooDeep;
    var it = dir.iterate();
    while (try it.next(io)) |entry| {
        const path = try std.mem.concat(arena, u8, &.{ prefix, entry.name });
        // Some file systems leave the kind out of their listings.
        const kind = if (entry.kind != .unknown) entry.kind else (try dir.statFile(io, entry.name, .{
            .follow_symlinks = false,
        })).kind;
        if (kind == .directory) {
            var inner = try dir.openDir(io, entry.name, .{ .iterate = true, .follow_symlinks = false });
            defer inner.close(io);
            try collect(arena, io, inner, try std.mem.concat(arena, u8, &.{ path, "/" }), depth + 1, items);
            continue;
        }
        if (items.items.len == max_items) return error.TooManyItems;
        try items.append(arena, .{ .path = path, .kind = if (kind == .file) .file else .other });
    }
}

fn lessThan(_: void, a: Item, b: Item) bool {
    return std.mem.lessThan(u8, a.path, b.path);
}

/// The item at `path` in a list ordered by path.
pub fn find(items: []const Item, path: []const u8) ?Item {
    const index = std.sort.binarySearch(Item, items, path, struct {
        fn order(wanted: []const u8, item: Item) std.math.Order {
            return std.mem.order(u8, wanted, item.path);
        }
    }.order) orelse return null;
    return items[index];
}

test "files are listed in order, links are not followed, folders are entered" {
    var tmp = std.testing.tmpDir(.{ .iterate = true });
    defer tmp.cleanup();
    const io = std.testing.io;
    try tmp.dir.createDirPath(io, "b/c");
    try tmp.dir.writeFile(io, .{ .sub_path = "b/c/z", .data = "z" });
    try tmp.dir.writeFile(io, .{ .sub_path = "a", .data = "a" });
    try tmp.dir.symLink(io, "b", "link", .{ .is_directory = true });

    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    const items = try list(arena.allocator(), io, tmp.dir);
    try std.testing.expectEqual(3, items.len);
    try std.testing.expectEqualStrings("a", items[0].path);
    try std.testing.expectEqualStrings("b/c/z", items[1].path);
    try std.testing.expectEqualStrings("link", items[2].path);
    try std.testing.expectEqual(.other, items[2].kind);
    try std.testing.expectEqual(.file, find(items, "b/c/z").?.kind);
    try std.testing.expect(find(items, "b/c") == null);
}

test "depth is limited" {
    var tmp = std.testing.tmpDir(.{ .iterate = true });
    defer tmp.cleanup();
    try tmp.dir.createDirPath(std.testing.io, "a/" ** (max_depth - 1) ++ "a");
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    try std.testing.expectError(error.TooDeep, list(arena.allocator(), std.testing.io, tmp.dir));
}
