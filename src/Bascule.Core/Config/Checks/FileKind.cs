using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>What does a file of this machine say about it?</summary>
internal static class FileKind
{
    public static readonly Setting<string> Path = new("file", PathForms.File("/run/bascule/web"))
    {
        Doc = "file: a file on the director, in whose name `{address}` and `{port}` are those of the real server. While it is there, the real server is up; a whole number in it, 0 to 65535, is its weight.",
        Otherwise = "file needs it",
        Source = "keepalived FILE_CHECK track_file",
        Example = "file: \"/run/bascule/{address}\"",
        AlsoCalled = ["track_file", "extfile", "maintenancedir"],
    };

    public static readonly CheckKind Kind = new("file", "What does a file on the director say about it?", "file_check", "extfile", "extmon")
    {
        Settings = [Path],
        Meant = fields => new FileCheck { Path = fields.Get(Path) },
        Rule = (fields, problems) => CheckSection.Require(Path, fields, problems),
        AsksAtPort = false,
    };
}
