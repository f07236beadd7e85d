using Bascule.Core.Sessions;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>
/// Who returns to which real server, from the orderly stop of a director to its next start. It is written once, at the end: a director that is killed
/// leaves none, and its clients are scheduled anew, unless a peer knows them.
/// </summary>
/// <param name="stateFile">Whole path of the state file in force; it lies beside.</param>
internal sealed class SessionFile(string stateFile, ReplicatedSessions sessions, TimeProvider time, ILogger log)
{
    private readonly string _path = Path.Combine(Path.GetDirectoryName(stateFile)!, "sessions.kept");

    /// <summary>Reads what the director before left, and removes it: after the next kill it would be old.</summary>
    public void Take()
    {
        try
        {
            if (!File.Exists(_path))
                return;
            KeptSessions.Read(File.ReadAllText(_path), sessions, time.GetUtcNow());
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.SessionsNotTaken(log, _path, e.Message);
        }
    }

    /// <summary>Writes down everybody who would return; nothing where that is nobody.</summary>
    public void Leave()
    {
        try
        {
            if (KeptSessions.Write(sessions, time.GetUtcNow()) is not { } text)
                return;
            AtomicFile.CreateFolder(Path.GetDirectoryName(_path)!);
            AtomicFile.Write(_path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.SessionsNotLeft(log, _path, e.Message);
        }
    }
}
